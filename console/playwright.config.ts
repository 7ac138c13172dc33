// Tests in Debian's Chromium, on the built console. No browser is downloaded.

import {defineConfig} from '@playwright/test';

export default defineConfig({
    testDir: process.env.SEMEL_STACK === undefined ? 'tests/browser' : 'tests/stack', // tests/console/run sets it
    outputDir: '../build/console/results',
    reporter: 'line',
    // Each test has a stand-in and a context of its own. The whole stack is one campaign's course, in its order.
    fullyParallel: process.env.SEMEL_STACK === undefined,
    workers: process.env.SEMEL_STACK === undefined ? 2 : 1,
    timeout: 60_000,
    forbidOnly: true,
    use: {
        launchOptions: {executablePath: process.env.SEMEL_CHROMIUM ?? '/usr/bin/chromium'},
        locale: 'en-GB',
        timezoneId: 'Asia/Seoul',
        viewport: {width: 1280, height: 900},
        trace: 'retain-on-failure',
        // Colours are those that stay: axe would see a button in the middle of its change.
        contextOptions: {reducedMotion: 'reduce'},
    },
});
