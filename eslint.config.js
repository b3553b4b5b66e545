// What Biome does not know enough of types for: promises that nobody awaits.

import { parser, plugin } from "typescript-eslint";

export default [
  {
    files: ["web/**/*.js", "sandbox/page/*.js", "tests/browser/*.js"],
    ignores: ["web/vendor/**"],
    languageOptions: { parser, parserOptions: { project: "tsconfig.json" } },
    plugins: { types: plugin },
    rules: { "types/no-floating-promises": "error", "types/no-misused-promises": "error" },
  },
];
