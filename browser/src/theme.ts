// Runs before the first paint, so that the page does not flash in the system's theme if the person has chosen the other
// one.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset["theme"] = theme;
} catch {
  // Storage is switched off: the theme follows the system.
}
