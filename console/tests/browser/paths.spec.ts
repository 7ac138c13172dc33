// What people do, from sign-in to end, and what goes wrong on the way.

import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {tickAll} from '../approval';
import {expect, isAccessible, makeCampaign, makeFollowUp, NOTICE, signIn, test} from './support';
import {GUARD} from './stand_in';
import {finish, FOLLOWING, freezing, hex, RUNNING, WAITING} from './world';

const campaign = `#/campaigns/${RUNNING}`;

test.describe('signing in', () => {
    test('takes the code out of the address at once', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'operator');
        expect(page.url()).toBe(`${address}/#/campaigns`);
        expect(world.asked.filter((a) => a.what === 'POST /v1/session').map((a) => a.body)).toEqual([{code: 'good'}]);
        await page.goBack();
        expect(page.url()).not.toContain('code');
    });
    test('says that a code is not known, and takes another', async ({page, address}) => {
        await page.goto(`${address}/#code=old`);
        await expect(page.getByRole('alert')).toContainText('five minutes and once');
        await page.getByLabel('Code').fill('http://127.0.0.1:18080/#code=good');
        await page.getByRole('button', {name: 'Sign in'}).click();
        await expect(page.getByRole('heading', {name: 'Campaigns'})).toBeVisible();
    });
    test('with another address ends the session before, in the same window', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'operator');
        world.role = 'auditor';
        await page.goto(`${address}/#code=good`);
        await expect(page.locator('.who')).toHaveText('auditor');
        expect(page.url()).toBe(`${address}/#/campaigns`);
    });
    test('is there again after a reload, and not after signing out', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'operator');
        await page.reload();
        await expect(page.getByRole('heading', {name: 'Campaigns'})).toBeVisible();
        await page.getByRole('button', {name: 'Sign out'}).click();
        await expect(page.getByRole('heading', {name: 'Sign in'})).toBeVisible();
        await page.reload();
        await expect(page.getByRole('heading', {name: 'Sign in'})).toBeVisible();
    });
    test('is asked for once the session is over', async ({page, world, address, context}) => {
        await signIn(page, {world, address}, 'operator', campaign);
        await expect(page.locator('.bar')).toBeVisible();
        await context.clearCookies();
        await expect(page.getByText('Your session is over')).toBeVisible();
    });
    test('goes by the organisation where there is a provider, and tells what it refused', async ({page, world, address}) => {
        await page.goto(address);
        await expect(page.getByRole('textbox')).toBeVisible();
        await expect(page.getByRole('link', {name: 'Sign in with your organisation'})).toBeHidden();
        world.provider = true;
        await page.goto(`${address}/#sign-on=no-role`);
        await expect(page.getByRole('alert')).toContainText('none of your groups');
        expect(page.url()).toBe(`${address}/#/campaigns`);
        await isAccessible(page);
        await page.getByRole('link', {name: 'Sign in with your organisation'}).click();
        await expect(page.getByRole('heading', {name: 'Campaigns'})).toBeVisible();
    });
    test('anew comes back to the page that asked for it', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'approver', `#/campaigns/${RUNNING}/doubts`);
        world.refuse[`POST /v1/campaigns/${RUNNING}/in-doubt`] = {status: 403, body: {error: 'this wants a sign-in of the last five minutes', sign_on: '/v1/sign-on?fresh=yes'}};
        await page.getByRole('button', {name: /again …$/}).click();
        await page.getByRole('dialog').getByRole('button', {name: 'Send again'}).click();
        await page.getByRole('link', {name: 'Sign in anew'}).click();
        await expect(page).toHaveURL(`${address}/#/campaigns/${RUNNING}/doubts`);
        expect(world.asked.some((a) => a.what === 'GET /v1/sign-on')).toBe(true);
    });
    test('leaves no secret where a script could read it', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'operator');
        const kept = await page.evaluate(() => [document.cookie, ...Object.values(localStorage), ...Object.values(sessionStorage)].join());
        expect(kept).not.toContain('secret');
        expect(kept).not.toContain(GUARD);
    });
});

test('a campaign is made out of a folder, and gets its people out of a file', async ({page, world, address}) => {
    await signIn(page, {world, address}, 'operator');
    await page.getByRole('link', {name: 'New campaign'}).click();
    await page.getByRole('radio', {name: /^hold it/}).check();
    await makeCampaign(page);
    const made = world.asked.find((a) => a.what === 'POST /v1/campaigns')?.body as {notice: Record<string, string>};
    expect(made).toMatchObject({name: 'Renewed notice', incident: 'autumn-leak', in_doubt: 'hold'});
    expect(Object.keys(made.notice).sort()).toEqual(readdirSync(NOTICE).sort());
    expect(Buffer.from(made.notice['notice.yaml'] ?? '', 'base64').equals(readFileSync(join(NOTICE, 'notice.yaml')))).toBe(true);
    await expect(page.getByText('told late')).toBeVisible();
    await page.getByRole('link', {name: 'Go on: add people'}).click();
    await page.getByLabel('File of people').setInputFiles({name: 'people.ndjson', mimeType: '', buffer: Buffer.from('{"recipient_id":"1"}\n')});
    await page.getByRole('button', {name: 'Upload'}).click();
    await expect(page.getByText('Imported: 2,000 rows, 2 rejected.')).toBeVisible();
    await expect(page.getByRole('row', {name: /two dots in a row/})).toBeVisible();
    const sent = world.asked.find((a) => a.what.endsWith('/uploads'));
    expect(sent?.body).toBe('{"recipient_id":"1"}\n');
    expect(sent?.headers['semel-guard']).toBe(GUARD);
});

test.describe('an incident', () => {
    test('is opened from the list, with its campaigns side by side and each family counted', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'product');
        await page.getByRole('link', {name: 'How often people were told autumn-leak'}).click();
        await expect(page.getByRole('heading', {level: 1})).toHaveText('Incident: autumn-leak');
        const told = page.getByRole('group', {name: 'How often people were told: First notice and what follows it'});
        await expect(told.getByRole('row', {name: /^twice/})).toContainText('1,902');
        await expect(told.getByRole('row', {name: /^never so far/})).toContainText('16');
        const renewed = page.getByRole('group', {name: /^How often people were told: Renewed notice/});
        await expect(renewed.getByRole('row', {name: /^never so far/})).toContainText('792');
        const rows = page.getByRole('group', {name: 'Campaigns side by side'}).getByRole('rowheader');
        await expect(rows).toHaveText(['First notice', '↳ Look out for calls', 'Renewed notice']);
        await page.getByRole('link', {name: 'Look out for calls'}).click();
        expect(page.url()).toBe(`${address}/#/campaigns/${FOLLOWING}`);
    });
    test('says large that its account does not close', async ({page, world, address}) => {
        world.families.forEach((f) => (f.told.people += 1));
        await signIn(page, {world, address}, 'auditor', campaign);
        await page.getByRole('link', {name: 'How often people were told'}).click();
        await expect(page.getByRole('alert').first()).toContainText('the four hold 1,996 people, and there are 1,997 people');
    });
    test('that cannot be counted now says so, and is counted again', async ({page, world, address}) => {
        const what = `GET /v1/campaigns/${RUNNING}/incident`;
        world.refuse[what] = {status: 429, body: {error: 'you read two long lists already', hint: 'wait for one of them'}};
        await signIn(page, {world, address}, 'auditor', `${campaign}/incident`);
        await expect(page.getByRole('alert')).toContainText('two long lists');
        delete world.refuse[what];
        await page.getByRole('button', {name: 'Try again'}).click();
        await expect(page.getByText('The four sum to 1,996 people.').first()).toBeVisible();
    });
});

test.describe('a follow-up', () => {
    const builder = `${campaign}/follow-up`;
    test('is made by a product team, which sees how many and never who', async ({page, world, address}) => {
        finish(world);
        await signIn(page, {world, address}, 'product', campaign);
        await page.getByRole('link', {name: 'Tell these people again'}).click();
        await page.getByRole('radio', {name: /every message failed/}).check();
        await expect(page.getByText('By the figures of this moment: 3 people.')).toBeVisible();
        await page.getByLabel('Only people').selectOption('with entrance_code');
        await expect(page.getByText('How many they are is counted when they are frozen.')).toBeVisible();
        await makeFollowUp(page);
        await expect(page.getByText('3 people are frozen.')).toBeVisible();
        await expect(page.getByText('3 people in 4 rows, as the ledger of that campaign stood at events 0:1204 11:877')).toBeVisible();
        await expect(page.getByText(hex('7'))).toBeVisible();
        const asked = world.asked.find((a) => a.what.endsWith('/follow-ups'));
        expect(asked?.what).toBe(`POST /v1/campaigns/${RUNNING}/follow-ups`);
        expect(asked?.body).toMatchObject({name: 'Look out for calls', outcome: 'failed', segment: 'entrance_code', in_doubt: 'resend'});
        expect(Object.keys(asked?.body as object).sort()).toEqual(['in_doubt', 'name', 'notice', 'outcome', 'segment']);
        expect(asked?.headers['semel-guard']).toBe(GUARD);
        await page.getByRole('link', {name: 'To the follow-up'}).click();
        expect(page.url()).toBe(`${address}/#/campaigns/${FOLLOWING}`);
        expect(world.asked.filter((a) => /\/(audit|unreached|repeated|in-doubt|resent)$/.test(a.what))).toEqual([]);
    });
    test('of an outcome waits until it is known; of all it does not', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'product', builder);
        await expect(page.getByRole('radio', {name: /people it reached/})).toBeDisabled();
        await expect(page.getByRole('radio', {name: /all its people/})).toBeChecked();
        await expect(page.getByText('What becomes of 776 people is not known yet.')).toBeVisible();
    });
    test('that froze nobody says why', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'product', builder);
        await page.getByLabel('Name').fill('x');
        await page.locator('#notice').setInputFiles(NOTICE);
        world.refuse[`GET /v1/campaigns/${FOLLOWING}/uploads/1`] = {status: 200, body: {...freezing()[0], state: 'refused', reason: 'nobody is meant'}};
        await page.getByRole('button', {name: /freeze the people$/}).click();
        await expect(page.getByRole('alert')).toContainText('nobody is meant');
        await expect(page.getByText('Nobody was frozen.', {exact: false})).toBeVisible();
    });
    test('is not made by an approver, or with a session that only reads', async ({page, world, address}) => {
        finish(world);
        world.readOnly = true;
        await signIn(page, {world, address}, 'product', campaign);
        await expect(page.locator('.bar')).toBeVisible();
        await expect(page.getByRole('link', {name: 'Tell these people again'})).toHaveCount(0);
        world.readOnly = false;
        await signIn(page, {world, address}, 'approver', builder);
        await expect(page.getByRole('alert')).toContainText('This page is not for your role');
    });
});

test.describe('a campaign', () => {
    test('is paused with one key and no question', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'operator', campaign);
        await expect(page.getByRole('button', {name: 'Pause'})).toBeVisible();
        await page.keyboard.press('Alt+p');
        await expect(page.getByText('Paused. Nothing more is handed')).toBeVisible();
        const asked = world.asked.find((a) => a.what === `POST /v1/campaigns/${RUNNING}/pause`);
        expect(asked?.headers['semel-guard']).toBe(GUARD);
        await expect(page.getByRole('button', {name: 'Go on sending'})).toBeVisible();
        await expect(page.getByRole('button', {name: 'Launch'})).toHaveCount(0);
    });
    test('is cancelled after saying what cannot be called back, and not by Escape or Enter', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'operator', campaign);
        const cancelled = () => world.asked.some((a) => a.what.endsWith('/cancel'));
        const open = page.getByRole('button', {name: 'Cancel for ever …'});
        await open.click();
        await expect(page.getByRole('dialog')).toContainText('1,929 messages have gone out and cannot be called back');
        await page.keyboard.press('Escape');
        await expect(page.getByRole('dialog')).toHaveCount(0);
        await open.click();
        await page.keyboard.press('Enter'); // the safe answer has the focus
        await expect(page.getByRole('dialog')).toHaveCount(0);
        expect(cancelled()).toBe(false);
        await open.click();
        await page.getByRole('dialog').getByRole('button', {name: 'Cancel for ever'}).click();
        await expect(page.getByText('Cancelled: nothing more is sent.')).toBeVisible();
        expect(cancelled()).toBe(true);
    });
    test('is launched by who knows whom, how many and until when', async ({page, world, address}) => {
        world.status.state = 'approved';
        world.status.waves = world.status.waves.map((wave) => ({...wave, state: 'approved' as const}));
        await signIn(page, {world, address}, 'operator', campaign);
        await page.getByRole('button', {name: 'Launch …'}).click();
        const dialog = page.getByRole('dialog');
        await expect(dialog).toContainText('1,998 people in 2,000 rows of wave 1');
        await expect(dialog).toContainText('SMS: 1,905');
        await expect(dialog).toContainText('Nothing is sent after');
        await dialog.getByRole('button', {name: 'Launch now'}).click();
        await expect(page.getByText('Launched.', {exact: true})).toBeVisible();
    });
    test('lets the rest go behind its canary, once', async ({page, world, address}) => {
        world.status.canary = {rows: 500, released: 500, state: 'waiting for release'};
        await signIn(page, {world, address}, 'operator', campaign);
        await expect(page.getByText('gone out; the rest waits for a word')).toBeVisible();
        await page.getByRole('button', {name: 'Let the rest go …'}).click();
        await expect(page.getByRole('dialog')).toContainText('holds back 1,500 rows');
        await page.getByRole('dialog').getByRole('button', {name: 'Let them go'}).click();
        await expect(page.getByText('The rest is released.')).toBeVisible();
        expect(world.asked.some((a) => a.what === `POST /v1/campaigns/${RUNNING}/release`)).toBe(true);
        await expect(page.getByRole('button', {name: 'Let the rest go …'})).toHaveCount(0);
    });
    test('shows why a step was refused', async ({page, world, address}) => {
        world.refuse[`POST /v1/campaigns/${RUNNING}/pause`] = {status: 409, body: {error: 'campaign is finished, not running'}};
        await signIn(page, {world, address}, 'operator', campaign);
        await page.getByRole('button', {name: 'Pause'}).click();
        await expect(page.getByRole('alert')).toContainText('finished, not running');
    });
    test('has no step for an auditor', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'auditor', campaign);
        await expect(page.locator('.bar')).toBeVisible();
        await expect(page.locator('.steps button')).toHaveCount(0);
        await expect(page.getByRole('link', {name: 'Look a person up'})).toBeVisible();
    });
    test('says large that its account does not close', async ({page, world, address}) => {
        world.status.rows += 3;
        await signIn(page, {world, address}, 'operator', campaign);
        await expect(page.getByRole('alert')).toContainText('3 rows are in none of the seven parts');
    });
    test('says in one sentence what is slow and why', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'operator', campaign);
        await expect(page.getByText('SMS takes longest: 1,529 messages are outstanding, 58 s at the pace of the last ten seconds. Why: smsc-a (throttled).')).toBeVisible();
        await expect(page.getByRole('row', {name: /^Email all gateways/})).toContainText('as it should');
        world.status.channels = Object.fromEntries(Object.entries(world.status.channels).map(([name, c]) => [name, {...c, rate_per_s: 0}]));
        world.status.lanes = [];
        await expect(page.getByText('Nothing was accepted in the last ten seconds by Email, Push, SMS: 3,218 messages are outstanding. 12 messages of them wait for another try.')).toBeVisible();
    });
    test('opens the list behind a number', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'operator', campaign);
        const download = page.waitForEvent('download');
        await page.getByRole('link', {name: 'Download unreachable'}).click();
        expect((await download).suggestedFilename()).toBe(`${RUNNING}-unreached.csv`);
        await page.getByRole('link', {name: 'Open in doubt'}).click();
        await expect(page.getByRole('heading', {level: 1})).toContainText('Doubts');
    });
});

test('figures that are old say so, and come alive again by themselves', async ({page, world, address}) => {
    await signIn(page, {world, address}, 'operator', campaign);
    await expect(page.getByText(/^Figures of \d\d:\d\d:\d\d$/)).toBeVisible();
    world.away = true;
    await expect(page.getByText(/^⚠ Figures of \d\d:\d\d:\d\d, reconnecting/)).toBeVisible({timeout: 15_000});
    await expect(page.locator('.bar')).toBeVisible(); // the last that was known stays to be read
    world.away = false;
    world.status.coverage.reached += 776;
    world.status.coverage.outstanding = 0;
    await expect(page.getByText(/^Figures of \d\d:\d\d:\d\d$/)).toBeVisible({timeout: 30_000});
    await expect(page.getByRole('row', {name: /^reached/})).toContainText('1,980');
});

test('what a page asks by itself keeps no session alive', async ({page, world, address}) => {
    await signIn(page, {world, address}, 'operator', campaign);
    await expect(page.locator('.bar')).toBeVisible();
    const polls = () => world.asked.filter((a) => a.what === `GET /v1/campaigns/${RUNNING}`).map((a) => a.headers['semel-unattended']);
    await expect.poll(() => polls().length, {timeout: 15_000}).toBeGreaterThan(2);
    expect(polls().slice(0, 3)).toEqual([undefined, 'yes', 'yes']);
    await page.keyboard.press('Shift');
    await expect.poll(() => polls().slice(3), {timeout: 15_000}).toContain(undefined);
});

test.describe('an approval', () => {
    const approval = `#/campaigns/${WAITING}/approval`;
    test('is given for what was shown, once everything is ticked', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'approver');
        await page.getByRole('link', {name: 'Read and decide Second wave'}).click();
        const approve = page.getByRole('button', {name: 'Approve exactly this: 2,498 people in 2,500 rows of 2 waves'});
        await expect(page.getByText('as the ledger of that campaign stood at events 0:1204 11:877')).toBeVisible();
        await expect(page.getByText('9 texts are not ticked as read')).toBeVisible();
        await approve.click({force: true}); // it is not to be pressed yet, and does nothing
        expect(world.asked.some((a) => a.what.endsWith('/approve'))).toBe(false);
        await tickAll(page);
        await expect(page.getByText('Still missing: the reason for the findings is missing.')).toBeVisible();
        await page.getByLabel('Why the findings are taken on').fill('counsel agreed');
        await approve.click();
        await expect(page.getByText('Approved. An operator may launch it now.')).toBeVisible();
        expect(world.asked.find((a) => a.what.endsWith('/approve'))?.body).toEqual({
            seen: {notice: hex('a'), audience: hex('b'), plan: hex('c')},
            accept: ['KR-W3'],
            reason: 'counsel agreed',
        });
    });
    test('that came too late says what changed, and nothing stays ticked', async ({page, world, address}) => {
        world.approval.findings = [];
        world.refuse[`POST /v1/campaigns/${WAITING}/approve`] = {status: 409, body: {error: 'since you looked, wave 3 with 3,000 rows came in', retry: false}};
        await signIn(page, {world, address}, 'approver', approval);
        await tickAll(page);
        await page.getByRole('button', {name: /^Approve exactly/}).click();
        await expect(page.getByRole('alert')).toContainText('wave 3 with 3,000 rows came in');
        await page.getByRole('button', {name: 'Look at it anew'}).click();
        await expect(page.getByText('9 texts are not ticked as read')).toBeVisible();
    });
    test('is not for who made the campaign', async ({page, world, address}) => {
        world.approval.refusal = 'approver made it';
        await signIn(page, {world, address}, 'approver', approval);
        await expect(page.getByText('approver made it')).toBeVisible();
        await expect(page.getByRole('button', {name: /^Approve exactly/})).toHaveCount(0);
        await expect(page.getByRole('checkbox')).toHaveCount(0);
    });
    test('shows a mail in a frame in which no script runs', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'approver', approval);
        const mail = page.frameLocator('iframe').first();
        await expect(mail.getByRole('heading', {name: '개인정보 유출 안내'})).toBeVisible();
        expect(await mail.getByRole('heading').evaluate((h) => getComputedStyle(h).color)).toBe('rgb(20, 80, 122)');
        expect(await page.title()).not.toBe('owned');
        await expect(page.locator('iframe').first()).toHaveAttribute('lang', 'ko');
    });
});

test.describe('what waits for an approver', () => {
    test('is what somebody else made, with its people and until when', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'approver');
        const waiting = page.getByRole('region', {name: 'Waiting for an approval'});
        await expect(waiting.getByRole('listitem')).toHaveCount(1);
        await expect(waiting.getByRole('listitem')).toContainText('2,498 people in 2 waves. Nothing is sent after');
        world.waiting.creator = 'approver';
        await page.reload();
        await expect(waiting).toContainText('Nothing waits for your approval.');
        await waiting.getByRole('link', {name: 'Read Second wave'}).click();
        await expect(page.getByRole('heading', {level: 1})).toHaveText('Approve: Second wave');
    });
    test('can be read by a product team, which approves nothing', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'product', `#/campaigns/${WAITING}`);
        await page.getByRole('link', {name: 'What waits for an approval'}).click();
        await expect(page.getByRole('heading', {level: 1})).toHaveText('Waits for an approval: Second wave');
        await expect(page.frameLocator('iframe').first().getByRole('heading')).toBeVisible();
        await expect(page.getByRole('checkbox')).toHaveCount(0);
        await expect(page.getByRole('button', {name: /^Approve/})).toHaveCount(0);
    });
});

test.describe('the places above every page', () => {
    const places = {
        operator: ['Campaigns', 'New campaign', 'Decisions', 'Sessions'],
        approver: ['Campaigns', 'Decisions', 'Users', 'Sessions'],
        product: ['Campaigns', 'New campaign', 'Sessions'],
        auditor: ['Campaigns', 'Decisions', 'Who looked at whom', 'Who was let in', 'Users', 'Sessions'],
        administrator: ['Campaigns', 'Who was let in', 'Users', 'Sessions'],
    } as const;
    for (const [role, words] of Object.entries(places)) {
        test(`are those of ${role}`, async ({page, world, address}) => {
            await signIn(page, {world, address}, role as keyof typeof places, `${campaign}/incident`);
            const links = page.getByRole('navigation', {name: 'Places'}).getByRole('link');
            await expect(links).toHaveText([...words]);
            await expect(links.first()).toHaveAttribute('aria-current', 'true');
            await links.last().click();
            await expect(links.last()).toHaveAttribute('aria-current', 'page');
        });
    }
});

test('an administrator sees who was let in, and who was not, page by page', async ({page, world, address}) => {
    await signIn(page, {world, address}, 'administrator');
    await page.getByRole('link', {name: 'Who was let in'}).click();
    await expect(page.getByRole('row', {name: /refused/})).toContainText('41');
    await page.getByRole('button', {name: 'Show earlier ones'}).click();
    await expect(page.getByRole('row', {name: /changed roles/})).toContainText('kim');
    await expect(page.getByRole('row', {name: /refused/})).toBeVisible();
    await expect(page.getByRole('button', {name: 'Show earlier ones'})).toHaveCount(0);
});

test.describe('doubts', () => {
    test('are decided by who knows the price', async ({page, world, address}) => {
        await signIn(page, {world, address}, 'approver', `${campaign}/doubts`);
        await expect(page.getByRole('heading', {name: '61 messages, SMS, smsc-a'})).toBeVisible();
        await page.getByRole('button', {name: 'Send 62 messages again …'}).click();
        await expect(page.getByRole('dialog')).toContainText('62 people may get the message twice');
        await page.getByRole('dialog').getByRole('button', {name: 'Send again'}).click();
        await expect(page.getByText('No message is in doubt.')).toBeVisible();
        expect(world.asked.find((a) => a.what.startsWith('POST') && a.what.endsWith('/in-doubt'))?.body).toEqual({decision: 'resend'});
    });
    test('are not decided by who made the campaign, or has another role', async ({page, world, address}) => {
        world.status.creator = 'approver';
        await signIn(page, {world, address}, 'approver', `${campaign}/doubts`);
        await expect(page.getByText('An approver who did not make the campaign decides.')).toBeVisible();
        await expect(page.getByRole('button', {name: /again …$/})).toHaveCount(0);
    });
});

test('a person is looked up in the body of a request, never in an address', async ({page, world, address}) => {
    await signIn(page, {world, address}, 'auditor', `${campaign}/person`);
    await page.getByLabel(/^Recipient id/).fill('nobody');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('alert')).toContainText('knows no such recipient');
    await page.getByLabel(/^Recipient id/).fill('A000000002');
    await page.keyboard.press('Enter');
    await expect(page.getByText('The same bytes: this is what was sent.')).toBeVisible();
    expect(page.url()).not.toContain('A000000002');
    expect(world.asked.every((a) => !a.what.includes('A000000002'))).toBe(true);
});

test('a person is looked up by an operator only for a reason', async ({page, world, address}) => {
    await signIn(page, {world, address}, 'operator', `${campaign}/person`);
    await page.getByLabel(/^Recipient id/).fill('A000000002');
    await page.getByRole('button', {name: 'Look up'}).click();
    expect(world.asked.some((a) => a.what.endsWith('/audit'))).toBe(false);
    await page.getByLabel('Reason').fill('her call of today');
    await page.getByLabel(/^Case number/).fill('C-7');
    await page.getByRole('button', {name: 'Look up'}).click();
    await expect(page.getByText('The same bytes: this is what was sent.')).toBeVisible();
    expect(world.asked.find((a) => a.what.endsWith('/audit'))?.body).toEqual({recipient_id: 'A000000002', reason: 'her call of today', case: 'C-7'});
});

test('an auditor sees who looked at whom, page by page', async ({page, world, address}) => {
    await signIn(page, {world, address}, 'auditor');
    await page.getByRole('link', {name: 'Who looked at whom'}).click();
    await expect(page.getByRole('row', {name: /kim/})).toContainText('가족의 문의');
    await page.getByRole('button', {name: 'Show earlier ones'}).click();
    await expect(page.getByRole('row', {name: /people not reached/})).toContainText('14');
    await expect(page.getByRole('button', {name: 'Show earlier ones'})).toHaveCount(0);
});

test('a session that only reads has no step to take', async ({page, world, address}) => {
    world.readOnly = true;
    await signIn(page, {world, address}, 'operator', campaign);
    await expect(page.locator('.bar')).toBeVisible();
    await expect(page.locator('.steps button')).toHaveCount(0);
    await expect(page.locator('#people')).toHaveCount(0);
});

test('what others wrote is text: names, gateways and notices run nothing', async ({page, world, address}) => {
    const attack = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    world.status.name = world.status.incident = attack;
    world.status.warnings = [attack];
    world.status.lanes = world.status.lanes.map((lane) => ({...lane, words: attack, gateway: attack}));
    world.history = world.history.map((act) => ({...act, text: attack}));
    world.campaigns = world.campaigns.map((c) => ({...c, name: attack}));
    await signIn(page, {world, address}, 'operator', campaign);
    await expect(page.getByRole('heading', {level: 1})).toHaveText(attack);
    await expect(page.locator('img')).toHaveCount(0);
    expect(await page.title()).toContain('<img');
});

test('a keyboard alone goes from the list to a pause and back', async ({page, world, address}) => {
    await signIn(page, {world, address}, 'operator');
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
    const tabTo = async (words: RegExp) => {
        for (let i = 0; i < 40; ++i) {
            await page.keyboard.press('Tab');
            if (words.test(await focused())) {
                return;
            }
        }
        throw new Error(`no way to ${words} by keyboard`);
    };
    await tabTo(/^To the content$/);
    await page.keyboard.press('Enter');
    await tabTo(/^Renewed notice$/);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('button', {name: 'Pause'})).toBeVisible();
    await tabTo(/^Pause$/);
    await page.keyboard.press('Enter');
    await expect(page.getByText('Paused. Nothing more is handed')).toBeVisible();
    await page.goBack();
    await expect(page.getByRole('heading', {name: 'Campaigns'})).toBeVisible();
});

test('the language is chosen with one button, and stays', async ({page, world, address}) => {
    await signIn(page, {world, address}, 'operator', campaign);
    await page.getByRole('button', {name: '한국어'}).click();
    await expect(page.getByRole('heading', {name: '통지 현황'})).toBeVisible();
    await expect(page.locator('html')).toHaveAttribute('lang', 'ko');
    await page.reload();
    await expect(page.getByRole('heading', {name: '통지 현황'})).toBeVisible();
});
