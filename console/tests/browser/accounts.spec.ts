// Who may use Semel, who is signed in, and what each decided.

import type {Page} from '@playwright/test';
import {expect, signIn, test} from './support';
import {GUARD, TOKEN} from './stand_in';
import {FOLLOWING, type World} from './world';

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

test.describe('users', () => {
    const row = (page: Page, name: RegExp) => page.getByRole('row', {name});
    const yes = (page: Page, name: string) => page.getByRole('dialog').getByRole('button', {name}).click();
    const posted = (world: World) => world.asked.filter((a) => a.what.startsWith('POST /v1/users')).map(({what, body}) => ({what, body}));
    test('are let in with a token that is shown once', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'administrator');
        await page.getByRole('link', {name: 'Users'}).click();
        await page.getByLabel('Name').fill('park');
        await page.getByRole('button', {name: /^Let the person in/}).click();
        await expect(page.getByRole('alert')).toHaveText('At least one role is needed.');
        expect(posted(world)).toEqual([]);
        await page.getByRole('checkbox', {name: 'auditor'}).check();
        await page.getByRole('checkbox', {name: 'operator'}).check();
        await page.getByLabel('So many days').fill('30');
        await page.getByRole('button', {name: /^Let the person in/}).click();
        const box = page.getByRole('region', {name: 'The token of park'});
        await expect(box).toContainText(TOKEN);
        await expect(box).toBeFocused();
        expect(posted(world)).toEqual([{what: 'POST /v1/users', body: {user: 'park', roles: ['operator', 'auditor'], days: 30}}]);
        await expect(row(page, /^park/)).toContainText('Token 21');
        await expect(page.getByLabel('Name')).toHaveValue('');
        const kept = await page.evaluate(() => [location.href, document.cookie, ...Object.values(localStorage), ...Object.values(sessionStorage)].join());
        expect(kept).not.toContain(TOKEN);
        await box.getByRole('button', {name: 'I have it'}).click();
        await expect(page.getByText(TOKEN)).toHaveCount(0);
        await expect(row(page, /^park/)).toBeVisible();
    });
    test('and their new token are forgotten by a page that is left', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'administrator', '#/users');
        await row(page, /^lee/).getByRole('button', {name: 'New token … lee'}).click();
        await page.getByRole('dialog').getByRole('checkbox', {name: /only reads/}).check();
        await yes(page, 'Make the token');
        await expect(page.getByText(TOKEN)).toBeVisible();
        expect(posted(world)).toEqual([{what: 'POST /v1/users/lee/tokens', body: {days: 90, scope: ['read']}}]);
        await expect(row(page, /^lee/)).toContainText('Token 21 (only reads)');
        await page.getByRole('link', {name: 'Campaigns'}).click();
        await page.goBack();
        await expect(row(page, /^lee/)).toBeVisible();
        await expect(page.getByText(TOKEN)).toHaveCount(0);
    });
    test('are given other roles, at least one, and not their own', async ({page, world, address}) => {
        const administrator = world.users.find((one) => one.user === 'administrator');
        Object.assign(administrator ?? {}, {from_file: false});
        await signIn(page, {world, address}, 'administrator', '#/users');
        await expect(row(page, /^administrator/).getByRole('button', {name: /^New token/})).toBeVisible();
        await expect(row(page, /^administrator/).getByRole('button', {name: /^Roles/})).toHaveCount(0);
        await row(page, /^kim/).getByRole('button', {name: /^Roles/}).click();
        const dialog = page.getByRole('dialog');
        await expect(dialog.getByRole('checkbox', {name: 'operator'})).toBeChecked();
        await dialog.getByRole('checkbox', {name: 'operator'}).uncheck();
        await dialog.getByRole('checkbox', {name: 'auditor'}).uncheck();
        await expect(dialog).toContainText('At least one role is needed.');
        await dialog.getByRole('button', {name: 'Give these roles'}).click({force: true}); // it is not to be pressed yet
        await expect(dialog).toBeVisible();
        expect(posted(world)).toEqual([]);
        await dialog.getByRole('checkbox', {name: 'approver'}).check();
        await yes(page, 'Give these roles');
        await expect(page.getByText('kim has these roles now: approver.')).toBeVisible();
        expect(posted(world)).toEqual([{what: 'POST /v1/users/kim/roles', body: {roles: ['approver']}}]);
        await expect(row(page, /^kim/)).toContainText('approver');
    });
    test('lose a token, or all rights, after a question', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'administrator', '#/users');
        await row(page, /^kim/).getByRole('button', {name: 'End … 9'}).click();
        await page.keyboard.press('Enter'); // the safe answer has the focus
        await expect(page.getByRole('dialog')).toHaveCount(0);
        expect(posted(world)).toEqual([]);
        await row(page, /^kim/).getByRole('button', {name: 'End … 9'}).click();
        await yes(page, 'End it');
        await expect(page.getByText('Token 9 of kim is known no more.')).toBeVisible();
        await expect(row(page, /^kim/)).not.toContainText('Token 9');
        await row(page, /^choi/).getByRole('button', {name: /^Take rights away/}).click();
        await expect(page.getByRole('dialog')).toContainText('every browser is signed out');
        await yes(page, 'Take them away');
        await expect(page.getByText('choi@example.com has no rights any more.')).toBeVisible();
        await expect(row(page, /^choi/)).toHaveCount(0);
        expect(posted(world)).toEqual([
            {what: 'POST /v1/users/kim/revoke', body: {token: 9}},
            {what: 'POST /v1/users/choi%40example.com/revoke', body: undefined},
        ]);
    });
    test('whose name was somebody’s before are refused in words', async ({page, world, address}) => {
        world.refuse['POST /v1/users'] = {status: 409, body: {error: 'park was a user before: a name stays the person’s who had it'}};
        await signIn(page, {world, address}, 'administrator', '#/users');
        await page.getByLabel('Name').fill('park');
        await page.getByRole('checkbox', {name: 'auditor'}).check();
        await page.getByRole('button', {name: /^Let the person in/}).click();
        await expect(page.getByRole('alert')).toContainText('was a user before');
        await expect(page.getByLabel('Name')).toHaveValue('park');
    });
    test('are revoked by an approver, who lets nobody in, and read by an auditor', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'approver', '#/users');
        await expect(row(page, /^kim/).getByRole('button')).toHaveText(['End … 7', 'End … 9', 'Take rights away … kim']);
        await expect(page.getByLabel('Name')).toHaveCount(0);
        await signIn(page, {world, address}, 'auditor', '#/users');
        await expect(page.locator('.who')).toHaveText('auditor');
        await expect(row(page, /^kim/)).toContainText('Token 9 (only reads, auditor)');
        await expect(row(page, /^kim/).getByRole('button')).toHaveCount(0);
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
