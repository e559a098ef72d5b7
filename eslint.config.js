// Lints the TypeScript of browser/ and tests/browser/ with its types.
import eslint from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["**/dist/", "**/results/", "**/node_modules/", "**/*.{js,mjs,cjs}", "target/"] },
  eslint.configs.recommended,
  tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", ignoreRestSiblings: true },
      ],
    },
  },
  {
    files: ["tests/browser/**"],
    rules: {
      // Playwright reads the names of fixtures from the pattern, also where there are none.
      "no-empty-pattern": "off",
      // Tests replace methods of the browser's prototypes.
      "@typescript-eslint/unbound-method": "off",
    },
  },
);
