import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["{schemas,migrations,pipeline,api,deploy,bench,test}/**/*.test.ts"],
    globalSetup: ["test/global-setup.ts"],
    // All files share the two engines, and two cores.
    fileParallelism: false,
    // Files keep nothing in their modules that others would meet, and loading all modules for each took minutes.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
