// An SMTP server that stores the emails that it receives.
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";

export type Mail = {
  to: string;
  subject: string;
  text: string;
  /** The ids of the updates to which the text links. */
  updates: string[];
  /**
   * When the email arrived by the clock of the Hearback server, in milliseconds since the epoch.
   */
  at: number;
};

export class Sink {
  readonly mails: Mail[] = [];

  private constructor(
    private readonly server: Server,
    private readonly now: () => number,
  ) {}

  /** Starts the server on a free port. `now` returns the time of the Hearback server's clock. */
  static async start(now: () => number): Promise<Sink> {
    const server = createServer();
    const sink = new Sink(server, now);
    server.on("connection", (socket) => void sink.serve(socket));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return sink;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
  }

  private async serve(socket: Socket): Promise<void> {
    socket.on("error", () => socket.destroy());
    const reply = (line: string) => socket.write(`${line}\r\n`);
    let to = "";
    let message: string[] | undefined;
    reply("220 sink");
    for await (const line of createInterface({ input: socket, crlfDelay: Infinity })) {
      if (message && line !== ".") message.push(line.replace(/^\./, ""));
      else if (message) {
        this.mails.push(parse(to, message.join("\r\n"), this.now()));
        message = undefined;
        reply("250 accepted");
      } else if (/^EHLO/i.test(line)) reply("250-sink\r\n250 8BITMIME");
      else if (/^DATA/i.test(line)) {
        message = [];
        reply("354 continue");
      } else if (/^QUIT/i.test(line)) {
        reply("221 bye");
        socket.end();
      } else {
        to = /^RCPT TO:<(.*?)>/i.exec(line)?.[1] ?? to;
        reply("250 ok");
      }
    }
  }
}

function parse(to: string, raw: string, at: number): Mail {
  const end = raw.indexOf("\r\n\r\n");
  const headers = raw.slice(0, end).replaceAll(/\r\n[ \t]/g, " ");
  const header = (name: string) =>
    new RegExp(`^${name}: (.*)$`, "im").exec(headers)?.[1]?.trim() ?? "";
  const text = decodeBody(header("Content-Transfer-Encoding"), raw.slice(end + 4));
  const links = [...text.matchAll(/\/updates\/([0-9a-z]+)/g)].map((match) => match[1]!);
  return { to, subject: decodeWords(header("Subject")), text, updates: [...new Set(links)], at };
}

/** Decodes RFC 2047 encoded words in Base64, which is the encoding that Hearback uses for them. */
function decodeWords(line: string): string {
  return line
    .replaceAll(/\?= +=\?/g, "?==?")
    .replaceAll(/=\?utf-8\?b\?(.*?)\?=/gi, (_, word: string) =>
      Buffer.from(word, "base64").toString(),
    );
}

function decodeBody(encoding: string, body: string): string {
  if (encoding === "base64") return Buffer.from(body, "base64").toString();
  if (encoding !== "quoted-printable") return body;
  const joined = body.replaceAll("=\r\n", "");
  const bytes = joined.replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").toString();
}
