// Runs before the first paint. Otherwise, the page would flash in the system's theme before it switches to the theme
// that the person has chosen.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset["theme"] = theme;
} catch {
  // Storage is switched off, so the page follows the system's theme.
}
