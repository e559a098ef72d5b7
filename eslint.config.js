// Lints the TypeScript in browser/ and tests/browser/ with type information.
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
      // Playwright reads fixture names from the destructuring pattern of the first parameter, so
      // functions that use no fixtures need an empty pattern.
      "no-empty-pattern": "off",
      // Tests replace methods of the browser's prototypes.
      "@typescript-eslint/unbound-method": "off",
    },
  },
);
