// Runs the simulation and writes its figures to results/simulation.txt and results/simulation.json.
// bin/simulate starts this test. HEARBACK_SIMULATION is `short` or `full`.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "@playwright/test";
import { here } from "./server.ts";
import { Simulation, type Outcome } from "./simulation/simulation.ts";
import { full, short, type Scale } from "./simulation/team.ts";

const scale = process.env.HEARBACK_SIMULATION === "full" ? full : short;

test("simulated team", async () => {
  const outcome = await Simulation.run(scale, (line) => console.log(line));
  const results = join(here, "results");
  await mkdir(results, { recursive: true });
  await writeFile(join(results, "simulation.txt"), formatTable(scale, outcome));
  await writeFile(join(results, "simulation.json"), `${JSON.stringify(outcome.figures)}\n`);
});

function formatTable(scale: Scale, { figures, mails, events }: Outcome): string {
  const { members, updates, days, firstDay, seed } = scale;
  const zones = new Set(members.map(({ zone }) => zone)).size;
  const rows: [string, number][] = [
    ["emails outside working hours", figures.mails_outside_hours],
    ["emails while away", figures.mails_while_away],
    ["duplicate emails", figures.duplicates],
    ["due times outside working hours", figures.dues_outside_hours],
    ['false "confirmed"', figures.false_confirmed],
    ['false "heard"', figures.false_heard],
    ["silent two working days past due", figures.silent_overdue],
    ["emails per event", figures.mail_ratio],
  ];
  const lines = rows.map(([name, value]) => `${name.padEnd(34)} ${String(value).padStart(7)}`);
  return [
    `${members.length} people in ${zones} time zones, ${updates} updates, ${days} days from ${firstDay}, seed ${seed}`,
    `${mails} emails about ${events} events`,
    "",
    ...lines,
    "",
  ].join("\n");
}
