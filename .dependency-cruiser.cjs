// Fails on import cycles in browser/src, and on imports of a feature folder in browser/src/lib.
module.exports = {
  forbidden: [
    { name: "no-cycle", severity: "error", from: {}, to: { circular: true } },
    {
      name: "lib-imports-only-lib",
      severity: "error",
      from: { path: "^browser/src/lib/" },
      to: { path: "^browser/src/", pathNot: "^browser/src/(lib|types)/" },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
  },
};
