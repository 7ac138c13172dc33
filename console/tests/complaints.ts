// What a page complains about that nobody meant: errors of scripts, and what the policy forbade.

import type {Page} from '@playwright/test';

// A refused request is a line of its own. No script runs in the frame of a mail, which also holds for the ones of this tool.
const meant = /Failed to load resource|Blocked script execution in '[^']*\/mails\//;

export function listen(page: Page, complaints: string[]): void {
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
        if (message.type() === 'error' && !meant.test(message.text())) {
            complaints.push(message.text());
        }
    });
}
