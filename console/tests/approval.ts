// What a test does on the page of an approval, over the stand-in and on a whole stack.

import {expect, type Page} from '@playwright/test';

/** Once the approval has come in: before, there is nothing to tick, and `all()` waits for nothing. */
export async function tickAll(page: Page): Promise<void> {
    await expect(page.getByRole('button', {name: /^Approve exactly/})).toBeVisible();
    for (const box of await page.getByRole('checkbox').all()) {
        await box.check();
    }
}
