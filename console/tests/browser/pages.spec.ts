// Every page, for each role that has it, in both languages: axe finds nothing in light and in dark, nothing is wider than a
// small screen, the policy forbids nothing that the page needs. Pictures go to build/console, for a person to look at.

import {join} from 'node:path';
import type {Page} from '@playwright/test';
import type {Role} from '../../src/api/shapes';
import {expect, isAccessible, makeCampaign, makeFollowUp, PICTURES, signIn, test} from './support';
import {finish, FIRST, RUNNING, WAITING, type World} from './world';

interface Shown {
    name: string;
    role: Role;
    fragment: string;
    change?: (world: World) => void;
    act?: (page: Page) => Promise<void>;
    /** Which further pictures are worth a look. */
    inDark?: boolean;
    narrow?: boolean;
}

const campaign = `#/campaigns/${RUNNING}`;
const lookUp = async (page: Page) => {
    await page.locator('#recipient').fill('A000000002');
    await page.locator('form button[type=submit]').click();
    await page.locator('article').first().waitFor();
    await page.locator('details summary').first().click();
};

/** Until what the page reads after its title is there. */
const tables = (count: number) => async (page: Page) => expect(page.locator('main table')).toHaveCount(count);

const PAGES: Shown[] = [
    {name: 'campaigns', role: 'operator', fragment: '#/campaigns'},
    {name: 'campaigns', role: 'approver', fragment: '#/campaigns'},
    {name: 'campaigns-none', role: 'auditor', fragment: '#/campaigns', change: (w) => (w.campaigns = [])},
    {name: 'new', role: 'operator', fragment: '#/campaigns/new'},
    {name: 'new-made', role: 'operator', fragment: '#/campaigns/new', act: async (page) => makeCampaign(page)},
    {name: 'campaign', role: 'operator', fragment: campaign, inDark: true, narrow: true},
    {name: 'campaign', role: 'approver', fragment: campaign},
    {name: 'campaign', role: 'auditor', fragment: campaign},
    {
        name: 'campaign-broken',
        role: 'operator',
        fragment: campaign,
        change: (w) => {
            w.status.rows = 2003;
            w.status.forecast_finish = null;
        },
    },
    {
        name: 'campaign-late',
        role: 'operator',
        fragment: campaign,
        change: (w) => (w.status.forecast_finish = new Date(Date.now() + 30 * 3_600_000).toISOString()),
    },
    {
        name: 'campaign-finished',
        role: 'auditor',
        fragment: campaign,
        change: (w) => {
            w.status.state = 'finished';
            w.status.lanes = [];
            w.status.warnings = [];
            w.status.coverage = {reached: 1997, failed: 1, unreachable: 0, in_doubt: 0, outstanding: 0, repeated: 0, rejected: 2};
        },
    },
    {
        name: 'campaign-draft',
        role: 'operator',
        fragment: campaign,
        change: (w) => {
            w.status.state = 'draft';
            w.status.rows = 0;
            w.status.waves = [];
            w.status.lanes = [];
            w.status.warnings = [];
            w.status.channels = {};
            w.status.forecast_finish = null;
            w.history = [];
            w.status.coverage = {reached: 0, failed: 0, unreachable: 0, in_doubt: 0, outstanding: 0, repeated: 0, rejected: 0};
        },
    },
    {
        name: 'campaign-upload',
        role: 'operator',
        fragment: campaign,
        act: async (page) => {
            await page.locator('#people').setInputFiles({name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from('recipient_id\n1\n')});
            await page.locator('form button[type=submit]').click();
            await page.locator('a[download$="-rejects.csv"]').waitFor();
        },
    },
    {
        name: 'campaign-canary',
        role: 'operator',
        fragment: campaign,
        change: (w) => {
            w.status.state = 'paused';
            w.status.forecast_finish = null;
            w.status.canary = {rows: 1000, released: 1000, state: 'waiting for release'};
            w.status.halted = {since: '2026-11-30T14:12:03Z', why: '31 of 412 sms messages failed (7.5 %, more than 5 %)'};
        },
        act: async (page) => {
            await page.locator('.steps button').first().click();
            await page.locator('dialog').waitFor();
        },
    },
    {
        name: 'campaign-cancel',
        role: 'operator',
        fragment: campaign,
        act: async (page) => {
            await page.locator('.steps button.grave').click();
            await page.locator('dialog').waitFor();
        },
    },
    {name: 'incident', role: 'product', fragment: `#/campaigns/${FIRST}/incident`, inDark: true, narrow: true},
    {
        name: 'incident-broken',
        role: 'auditor',
        fragment: `${campaign}/incident`,
        change: (w) => {
            w.incident.campaigns = w.incident.campaigns.slice(1, 2);
            w.families = [{family: [RUNNING], told: {people: 1996, never: 792, once: 1200, twice: 0, more: 0}}];
        },
    },
    {name: 'follow-up', role: 'product', fragment: `${campaign}/follow-up`, change: finish, narrow: true},
    {name: 'follow-up-early', role: 'product', fragment: `${campaign}/follow-up`},
    {name: 'follow-up-none', role: 'operator', fragment: `${campaign}/follow-up`, change: (w) => (w.status.waves = [])},
    {
        name: 'follow-up-made',
        role: 'product',
        fragment: `${campaign}/follow-up`,
        change: finish,
        act: async (page) => {
            await page.locator('input[name=outcome]').nth(1).check();
            await makeFollowUp(page);
        },
    },
    {name: 'approval', role: 'approver', fragment: `#/campaigns/${WAITING}/approval`, inDark: true, narrow: true},
    {
        name: 'approval-own',
        role: 'approver',
        fragment: `#/campaigns/${WAITING}/approval`,
        change: (w) => (w.approval.refusal = 'approver made c-aaaabbbbccccdddd and may not approve it alone; another approver'),
    },
    {name: 'doubts', role: 'approver', fragment: `${campaign}/doubts`},
    {name: 'doubts', role: 'auditor', fragment: `${campaign}/doubts`},
    {
        name: 'doubts-decide',
        role: 'approver',
        fragment: `${campaign}/doubts`,
        act: async (page) => {
            await page.locator('.buttons button').first().click();
            await page.locator('dialog').waitFor();
        },
    },
    {name: 'doubts-none', role: 'operator', fragment: `${campaign}/doubts`, change: (w) => ((w.doubts = []), (w.resent = []))},
    {name: 'person', role: 'auditor', fragment: `${campaign}/person`},
    {name: 'person-found', role: 'auditor', fragment: `${campaign}/person`, act: lookUp, narrow: true},
    {name: 'person', role: 'operator', fragment: `${campaign}/person`},
    {name: 'lookups', role: 'auditor', fragment: '#/lookups'},
    {name: 'access', role: 'administrator', fragment: '#/access'},
    {name: 'decisions', role: 'approver', fragment: '#/decisions', act: tables(1), narrow: true},
    {name: 'decisions', role: 'auditor', fragment: '#/decisions', act: tables(1)},
    {
        name: 'decisions-none',
        role: 'operator',
        fragment: '#/decisions',
        change: (w) => (w.decisions = []),
        act: async (page) => page.getByText(/nothing yet|아직 결정한/).waitFor(),
    },
    {name: 'sessions', role: 'operator', fragment: '#/sessions', act: tables(1)},
    {name: 'sessions', role: 'administrator', fragment: '#/sessions', act: tables(2), inDark: true, narrow: true},
    {
        name: 'sessions-end',
        role: 'administrator',
        fragment: '#/sessions',
        act: async (page) => {
            await tables(2)(page);
            await page.getByRole('row', {name: /kim/}).getByRole('button').click();
            await page.locator('dialog').waitFor();
        },
    },
    {name: 'users', role: 'administrator', fragment: '#/users', act: tables(1), inDark: true, narrow: true},
    {name: 'users', role: 'approver', fragment: '#/users', act: tables(1)},
    {name: 'users', role: 'auditor', fragment: '#/users', act: tables(1)},
    {
        name: 'users-token',
        role: 'administrator',
        fragment: '#/users',
        act: async (page) => {
            await page.locator('#new-user').fill('park');
            await page.locator('form input[type=checkbox]').nth(1).check();
            await page.locator('form button[type=submit]').click();
            await page.locator('code.long').waitFor();
            await page.getByRole('rowheader', {name: /^park/}).waitFor();
        },
        narrow: true,
    },
    {
        name: 'users-roles',
        role: 'administrator',
        fragment: '#/users',
        act: async (page) => {
            await page.getByRole('row', {name: /^kim/}).getByRole('button').nth(2).click();
            await page.locator('dialog').waitFor();
        },
    },
    {
        name: 'users-revoke',
        role: 'administrator',
        fragment: '#/users',
        act: async (page) => {
            await page.getByRole('row', {name: /^kim/}).getByRole('button').last().click();
            await page.locator('dialog').waitFor();
        },
    },
    {name: 'approval', role: 'product', fragment: `#/campaigns/${WAITING}/approval`},
    {name: 'campaigns-own', role: 'approver', fragment: '#/campaigns', change: (w) => (w.waiting.creator = 'approver')},
    {name: 'campaigns', role: 'product', fragment: '#/campaigns'},
    {name: 'campaign', role: 'product', fragment: campaign},
    {name: 'campaigns', role: 'administrator', fragment: '#/campaigns'},
    {name: 'forbidden', role: 'product', fragment: `${campaign}/person`},
    {name: 'forbidden', role: 'operator', fragment: '#/users'},
    {name: 'nowhere', role: 'operator', fragment: '#/else'},
];

/** Not in the frames of mails, which have no storage. */
const speaks = (page: Page, language: 'en' | 'ko') =>
    page.addInitScript((l) => window === window.top && localStorage.setItem('semel.language', l), language);

const settled = async (page: Page, shown: Shown) => {
    await expect(page.locator('main h1, main [role=alert]').first()).toBeVisible();
    await shown.act?.(page);
    for (const mail of await page.locator('iframe').all()) {
        await mail.scrollIntoViewIfNeeded(); // it loads once it is seen
        await expect(mail.contentFrame().locator('h1')).toBeVisible();
    }
    await page.evaluate(() => window.scrollTo(0, 0));
};

/** In a window that is as high as the page: a frame that nobody sees is not painted. */
const picture = async (page: Page, name: string) => {
    const window_ = page.viewportSize();
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({width: window_?.width ?? 1280, height});
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    await page.screenshot({path: join(PICTURES, `${name}.png`), fullPage: true});
    await (window_ === null ? undefined : page.setViewportSize(window_));
};

for (const language of ['en', 'ko'] as const) {
    for (const shown of PAGES) {
        test(`${shown.name} of ${shown.role}, ${language}`, async ({page, world, address}) => {
            const name = `${shown.name}-${shown.role}-${language}`;
            await speaks(page, language);
            shown.change?.(world);
            await signIn(page, {world, address}, shown.role, shown.fragment);
            await settled(page, shown);
            await isAccessible(page);
            await picture(page, name);
            await page.emulateMedia({colorScheme: 'dark'});
            await isAccessible(page);
            await (shown.inDark ? picture(page, `${name}-dark`) : undefined);
            await page.setViewportSize({width: 320, height: 640});
            expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
            await (shown.narrow ? picture(page, `${name}-narrow`) : undefined);
        });
    }
}

for (const language of ['en', 'ko'] as const) {
    test(`sign-in, ${language}`, async ({page, address}) => {
        await speaks(page, language);
        await page.goto(address);
        await expect(page.getByRole('textbox')).toBeVisible();
        await isAccessible(page);
        await picture(page, `sign-in-${language}`);
    });
    test(`campaign on paper, ${language}`, async ({page, world, address}) => {
        await speaks(page, language);
        await signIn(page, {world, address}, 'auditor', campaign);
        await expect(page.locator('.bar')).toBeVisible();
        await page.emulateMedia({media: 'print'});
        await expect(page.locator('.paper')).toContainText(RUNNING);
        await expect(page.locator('.top')).toBeHidden();
        await picture(page, `campaign-paper-${language}`);
    });
    test(`person on paper, ${language}`, async ({page, world, address}) => {
        await speaks(page, language);
        await signIn(page, {world, address}, 'auditor', `${campaign}/person`);
        await lookUp(page);
        await page.emulateMedia({media: 'print'});
        await expect(page.locator('.paper')).toContainText('A000000002');
        await expect(page.locator('form')).toBeHidden();
        await picture(page, `person-paper-${language}`);
    });
}
