// One campaign, from its approval to its last message, on a real stack: each role in a browser of its own.

import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import {expect, test, type Page} from '@playwright/test';
import {tickAll} from '../approval';
import {listen} from '../complaints';

const binaries = process.env.SEMEL_BINARIES ?? '';
const stack = process.env.SEMEL_STACK ?? '';
const id = process.env.SEMEL_CAMPAIGN ?? '';
const campaign = `#/campaigns/${id}`;

function semel(...words: string[]): string {
    return execFileSync(join(binaries, 'semel'), [...words, '--dir', stack], {encoding: 'utf8'});
}

/** Signed in as `semel console` prints it, and then at this place. */
async function as(page: Page, user: string, fragment: string): Promise<string> {
    const {address} = JSON.parse(semel('console', '--as', user, '--json')) as {address: string};
    await page.goto(address);
    await expect(page.getByRole('heading', {name: 'Campaigns'})).toBeVisible();
    const base = address.slice(0, address.indexOf('/#'));
    await page.goto(`${base}/${fragment}`);
    return base;
}

const complaints: string[] = [];
test.beforeEach(({page}) => {
    complaints.length = 0;
    listen(page, complaints);
});
test.afterEach(() => expect(complaints).toEqual([]));
test.describe.configure({mode: 'serial'});

test('an address of `semel console` works once', async ({page, browser}) => {
    const {address} = JSON.parse(semel('console', '--as', 'auditor', '--json')) as {address: string};
    await page.goto(address);
    await expect(page.getByRole('heading', {name: 'Campaigns'})).toBeVisible();
    const other = await (await browser.newContext()).newPage();
    await other.goto(address);
    await expect(other.getByRole('alert')).toContainText('five minutes and once');
    await other.context().close();
});

test('an approver reads every text and approves exactly what was shown', async ({page}) => {
    await as(page, 'approver', '#/campaigns');
    await page.getByRole('link', {name: /^Read and decide/}).click();
    const mail = page.frameLocator('iframe').first();
    await expect(mail.locator('body')).not.toBeEmpty();
    await expect(mail.locator('body')).toContainText(/유출|leak/);
    await tickAll(page);
    const reason = page.getByLabel('Why the findings are taken on');
    if ((await reason.count()) > 0) {
        await reason.fill('read with counsel');
    }
    await page.getByRole('button', {name: /^Approve exactly this/}).click();
    await expect(page.getByText('Approved. An operator may launch it now.')).toBeVisible();
});

test('an operator launches, pauses, goes on, and sees the account close', async ({page}) => {
    test.setTimeout(180_000);
    await as(page, 'operator', campaign);
    await page.getByRole('button', {name: 'Launch …'}).click();
    await page.getByRole('dialog').getByRole('button', {name: 'Launch now'}).click();
    await expect(page.locator('.verdict').first()).toContainText('at the pace of the last ten seconds', {timeout: 30_000});
    await page.keyboard.press('Alt+p');
    await expect(page.getByText('Paused: nothing is sent.', {exact: false})).toBeVisible();
    expect(JSON.parse(semel('campaign', 'status', id, '--json'))).toMatchObject({state: 'paused'});
    await page.getByRole('button', {name: 'Go on sending …'}).click();
    await page.getByRole('dialog').getByRole('button', {name: 'Go on sending'}).click();
    await expect(page.getByText('Finished: nothing is outstanding.')).toBeVisible({timeout: 120_000});
    await expect(page.getByText('The seven parts sum to the rows.')).toBeVisible();
    await expect(page.getByRole('cell', {name: /operator · launch|^launch/}).first()).toBeVisible();
});

test('an auditor looks a person up and sees the bytes that were sent', async ({page}) => {
    await as(page, 'auditor', `${campaign}/person`);
    await page.getByLabel(/^Recipient id/).fill('A000000002');
    await page.keyboard.press('Enter');
    await expect(page.getByText('The same bytes: this is what was sent.').first()).toBeVisible();
});

test('a session that an administrator ends is over in its browser', async ({page}) => {
    await as(page, 'operator', campaign);
    await expect(page.locator('.bar')).toBeVisible();
    const {sessions} = JSON.parse(semel('sessions', 'list', '--user', 'operator', '--as', 'administrator', '--json')) as {sessions: {number: number}[]};
    expect(sessions).not.toEqual([]);
    for (const {number} of sessions) {
        semel('sessions', 'end', String(number), '--as', 'administrator');
    }
    await expect(page.getByText('Your session is over')).toBeVisible({timeout: 15_000});
});

test('a session ends in every browser with the token that it came from', async ({page}) => {
    await as(page, 'auditor', campaign);
    await expect(page.locator('.bar')).toBeVisible();
    semel('users', 'revoke', 'auditor', '--as', 'approver');
    await expect(page.getByText('Your session is over')).toBeVisible({timeout: 15_000});
});
