// Who may use Semel, who is signed in, and what each decided.

import type {Page} from '@playwright/test';
import {expect, signIn, test} from './support';
import {GUARD} from './stand_in';
import {FOLLOWING} from './world';

test.describe('decisions', () => {
    test('are an approver’s own over all campaigns, page by page', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'approver');
        await page.getByRole('link', {name: 'Decisions'}).click();
        const own = page.getByRole('group', {name: 'What I decided'});
        await expect(own.getByRole('row', {name: /doubts: sent again/})).toContainText('61 messages');
        await expect(own.getByRole('row', {name: /approved it/})).toContainText('accepted KR-W3: counsel agreed');
        await expect(own.getByRole('row')).toHaveCount(4); // with its head
        await page.getByRole('button', {name: 'Show earlier ones'}).click();
        await expect(own.getByRole('row', {name: /dropped a wave/})).toContainText('wave 3');
        await expect(page.getByRole('button', {name: 'Show earlier ones'})).toHaveCount(0);
        await expect(page.getByText('kim')).toHaveCount(0);
        await expect(page.getByRole('group', {name: 'What everybody decided'})).toHaveCount(0);
        await own.getByRole('link', {name: 'Look out for calls'}).click();
        expect(page.url()).toBe(`${address}/#/campaigns/${FOLLOWING}`);
    });
    test('are everybody’s for an auditor, who decides nothing', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'auditor', '#/decisions');
        const all = page.getByRole('group', {name: 'What everybody decided'});
        await expect(all.getByRole('row', {name: /kim/})).toContainText('paused it');
        await expect(page.getByRole('group', {name: 'What I decided'})).toHaveCount(0);
    });
});

test.describe('sessions', () => {
    const own = (page: Page) => page.getByRole('group', {name: 'Where you are signed in'});
    test('are one’s own, and one that is not known is ended after a question', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'operator');
        await page.getByRole('link', {name: 'Sessions'}).click();
        await expect(own(page).getByRole('rowheader')).toHaveText(['12', '9']);
        await expect(own(page).getByRole('row', {name: /^12/})).toContainText('this browser');
        const strange = own(page).getByRole('row', {name: /^9/});
        await expect(strange).toContainText('192.0.2.44 (another address than at the sign-in)');
        await expect(page.getByRole('group', {name: 'Who is signed in'})).toHaveCount(0);
        await strange.getByRole('button', {name: 'End … 9'}).click();
        await expect(page.getByRole('dialog')).toContainText('operator, signed in at');
        await page.keyboard.press('Enter'); // the safe answer has the focus
        await expect(page.getByRole('dialog')).toHaveCount(0);
        const ended = () => world.asked.filter((a) => a.what.startsWith('DELETE'));
        expect(ended()).toEqual([]);
        await strange.getByRole('button', {name: 'End … 9'}).click();
        await page.getByRole('dialog').getByRole('button', {name: 'End it'}).click();
        await expect(page.getByText('Session 9 is over.')).toBeVisible();
        await expect(strange).toContainText('ended');
        await expect(strange.getByRole('button')).toHaveCount(0);
        expect(ended().map((a) => a.what)).toEqual(['DELETE /v1/sessions/9']);
        expect(ended()[0]?.headers['semel-guard']).toBe(GUARD);
    });
    test('that are ended by who looks through them lead to the sign-in', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'operator', '#/sessions');
        await own(page).getByRole('button', {name: 'End … 12'}).click();
        await expect(page.getByRole('dialog')).toContainText('you will have to sign in again');
        await page.getByRole('dialog').getByRole('button', {name: 'End it'}).click();
        await expect(page.getByText('Your session is over')).toBeVisible();
    });
    test('are everybody’s for an administrator', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'administrator', '#/sessions');
        const all = page.getByRole('group', {name: 'Who is signed in'});
        await expect(all.getByRole('rowheader')).toHaveText(['14', '12', '9']);
        await page.getByRole('button', {name: 'Show earlier ones'}).click();
        await expect(all.getByRole('rowheader')).toHaveText(['14', '12', '9', '4']);
        const kims = all.getByRole('row', {name: /kim/});
        await kims.getByRole('button').click();
        await expect(page.getByRole('dialog')).toContainText('kim, signed in at');
        await page.getByRole('dialog').getByRole('button', {name: 'End it'}).click();
        await expect(kims).toContainText('ended');
        expect(world.sessions.map((one) => one.number)).toEqual([12, 9, 4]);
    });
    test('that somebody else has ended meanwhile say so', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'operator', '#/sessions');
        await own(page).getByRole('button', {name: 'End … 9'}).click();
        world.sessions = world.sessions.filter((one) => one.number !== 9);
        await page.getByRole('dialog').getByRole('button', {name: 'End it'}).click();
        await expect(page.getByRole('alert')).toContainText('no such session');
    });
    test('are only read by a session that only reads', async ({page, world, address}) => {
        world.readOnly = true;
        await signIn(page, {world, address}, 'operator', '#/sessions');
        await expect(own(page).getByRole('rowheader')).toHaveText(['12', '9']);
        await expect(own(page).getByRole('button')).toHaveCount(0);
    });
});
