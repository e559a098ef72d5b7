// Fails on import cycles in browser/src.
module.exports = {
  forbidden: [{ name: "no-cycle", severity: "error", from: {}, to: { circular: true } }],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
  },
};
