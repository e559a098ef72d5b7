// Runs in the page of a recording. It turns the attributes of the elements into paused animations, so that the maker
// can show any moment of the recording.
//
// A moment is the number of a line of the narration, plus seconds: "3" is the start of the third line, "3+1.5" is one
// and a half seconds later. Without `data-in`, an element is there from the beginning.
//   data-in      when the element comes          data-fx    how it comes, see EFFECTS (rise)
//   data-out     when it goes                    data-for   how long coming takes, in seconds
//   data-path    where the pointer is: "MOMENT X Y [press], …"
//   data-speaks  a mouth, which moves during the lines
const EFFECTS = {
  rise: [
    { opacity: 0, translate: "0 18px" },
    { opacity: 1, translate: "0 0" },
  ],
  fade: [{ opacity: 0 }, { opacity: 1 }],
  pop: [
    { opacity: 0, scale: 0.6 },
    { opacity: 1, scale: 1 },
  ],
  grow: [{ scale: "1 0" }, { scale: "1 1" }],
  stretch: [{ scale: "0 1" }, { scale: "1 1" }],
  wipe: [{ clipPath: "inset(-20% 100% -20% 0)" }, { clipPath: "inset(-20% 0 -20% 0)" }],
  // For a path with pathLength="1".
  draw: [
    { strokeDasharray: "1 1", strokeDashoffset: 1, visibility: "hidden" },
    { strokeDasharray: "1 1", strokeDashoffset: 0.99, visibility: "visible", offset: 0.01 },
    { strokeDasharray: "1 1", strokeDashoffset: 0, visibility: "visible" },
  ],
};
/** How many letters per second are typed. */
const TYPING_SPEED = 24;

const animations = [];
/** Functions that show a moment, each with a text that describes what it shows. */
const shows = [];

/** Prepares the recording. `starts` contains the second at which each line starts, and `ends` when it ends. */
window.prepare = (starts, ends) => {
  const second = (moment) => {
    const [line, more = "0"] = moment.trim().split("+");
    return starts[Number(line) - 1] + Number(more);
  };
  for (const element of document.querySelectorAll("[data-in]")) enter(element, second);
  for (const element of document.querySelectorAll("[data-out]")) {
    play(
      element,
      [{ opacity: 0, visibility: "hidden" }],
      second(element.dataset.out),
      0.3,
      "forwards",
    );
  }
  for (const element of document.querySelectorAll("[data-path]")) point(element, second);
  for (const element of document.querySelectorAll("[data-speaks]")) {
    shows.push((at) =>
      moveMouth(
        element,
        at,
        starts.some((start, n) => at >= start && at < ends[n]),
      ),
    );
  }
};

/** Shows a moment. Two moments for which this returns the same text look the same. */
window.seek = (at) => {
  const shown = animations.map((animation) => {
    animation.currentTime = at * 1000;
    return animation.effect.getComputedTiming().progress;
  });
  return JSON.stringify([shown, shows.map((show) => show(at))]);
};

function enter(element, second) {
  const { fx = "rise", for: length } = element.dataset;
  const at = second(element.dataset.in);
  if (fx === "type") return type(element, at);
  play(element, EFFECTS[fx], at, Number(length ?? (fx === "fade" ? 0.35 : 0.5)), "both");
}

function play(element, frames, at, seconds, fill) {
  const options = {
    delay: at * 1000,
    duration: seconds * 1000,
    fill,
    easing: "cubic-bezier(.3, 0, .2, 1)",
  };
  const animation = element.animate(frames, options);
  animation.pause();
  animations.push(animation);
}

function type(element, from) {
  const text = element.textContent;
  shows.push((at) => {
    const letters = Math.max(0, Math.min(text.length, Math.floor((at - from) * TYPING_SPEED)));
    element.textContent = text.slice(0, letters);
    element.style.visibility = at < from ? "hidden" : "visible";
    element.classList.toggle("typing", letters > 0 && letters < text.length);
    return letters + (at < from ? -1 : 0);
  });
}

function point(pointer, second) {
  const stops = pointer.dataset.path.split(",").map((stop) => {
    const [moment, x, y, press] = stop.trim().split(/\s+/);
    return { at: second(moment), x: Number(x), y: Number(y), press: press === "press" };
  });
  shows.push((at) => {
    const next = stops.findIndex((stop) => stop.at > at);
    const to = stops[next < 0 ? stops.length - 1 : next];
    const from = stops[Math.max(0, (next < 0 ? stops.length : next) - 1)];
    // The pointer rests, and moves during the last 0.8 seconds before it arrives.
    const part = to === from ? 1 : Math.max(0, Math.min(1, (at - to.at + 0.8) / 0.8));
    const eased = part * part * (3 - 2 * part);
    const place = `${from.x + (to.x - from.x) * eased}px ${from.y + (to.y - from.y) * eased}px`;
    const pressed = stops.some((stop) => stop.press && at >= stop.at && at < stop.at + 0.35);
    pointer.style.translate = place;
    pointer.classList.toggle("pressed", pressed);
    return place + pressed;
  });
}

function moveMouth(mouth, at, speaks) {
  const open = speaks
    ? Math.round(2 + 2 * Math.abs(Math.sin(at * 8.3)) + 2 * Math.abs(Math.sin(at * 5.1)))
    : 1;
  mouth.setAttribute("ry", open);
  return open;
}
