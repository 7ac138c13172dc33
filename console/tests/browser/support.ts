// A page of the console over its stand-in, and what every page is held to.

import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {test as base, expect, type Page} from '@playwright/test';
import type {Role} from '../../src/api/shapes';
import {listen} from '../complaints';
import {standIn} from './stand_in';
import {aWorld, type World} from './world';

export const PICTURES = join(__dirname, '../../../build/console');
const AXE = readFileSync(createRequire(__filename).resolve('axe-core/axe.min.js'), 'utf8');

export interface Given {
    world: World;
    address: string;
    /** What the page complained about: errors of scripts, and what the policy forbade. */
    complaints: string[];
}

export const test = base.extend<Given>({
    world: async ({}, use) => use(aWorld()),
    address: async ({world}, use) => {
        const server = await standIn(world);
        await use(server.address);
        await server.close();
    },
    complaints: [
        async ({page}, use) => {
            const complaints: string[] = [];
            listen(page, complaints);
            await use(complaints);
            expect(complaints).toEqual([]);
        },
        {auto: true},
    ],
});
export {expect};

export async function signIn(page: Page, given: Pick<Given, 'world' | 'address'>, role: Role, fragment = ''): Promise<void> {
    given.world.role = role;
    await page.goto(`${given.address}/#code=good`);
    await expect(page.getByRole('heading', {level: 1})).toBeVisible();
    if (fragment !== '') {
        await page.goto(`${given.address}/${fragment}`);
    }
}

export const NOTICE = join(__dirname, '../../../notices/follow-up');

export async function makeCampaign(page: Page): Promise<void> {
    await page.locator('#name').fill('Renewed notice');
    await page.locator('#incident').fill('autumn-leak');
    await sendNotice(page);
}

export async function makeFollowUp(page: Page): Promise<void> {
    await page.locator('#name').fill('Look out for calls');
    await sendNotice(page);
    await page.locator('code.long').waitFor();
}

async function sendNotice(page: Page): Promise<void> {
    await page.locator('#notice').setInputFiles(NOTICE);
    await page.locator('form button[type=submit]').click();
    await page.locator('a.button.main').waitFor();
}

interface Finding {
    id: string;
    help: string;
    nodes: {html: string}[];
}

/** WCAG 2.2 A and AA and axe's best practices: no findings. The window's own policy does not hold for the tool. */
export async function isAccessible(page: Page): Promise<void> {
    await page.evaluate(AXE);
    const found = await page.evaluate(async () => {
        const axe = (window as unknown as {axe: {run: (o: object) => Promise<{violations: Finding[]}>}}).axe;
        return (await axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})).violations;
    });
    expect(found.map((f) => `${f.id}: ${f.help}: ${f.nodes.map((n) => n.html).join(' | ')}`)).toEqual([]);
}
