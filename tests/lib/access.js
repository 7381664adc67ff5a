/* Whether everybody can use a page: axe-core's rules (WCAG 2.2 A and AA, best practice), light and dark, at 1280 and at 320 px;
 * that nothing has to be scrolled sideways; that the page has nothing to complain of to its console. */
import assert from 'node:assert/strict';
import axe from 'axe-core';
import { until } from './instance.js';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const SETTINGS = [['light', 1280, 800], ['dark', 1280, 800], ['dark', 320, 640], ['light', 320, 640]];

async function dress(page, scheme, width, height) {
    await page.setViewport({ width, height });
    const motion = { name: 'prefers-reduced-motion', value: 'reduce' };
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }, motion]);
    await until(() => page.evaluate((wanted) => window.innerWidth === wanted, width), `${width} px`);
}

/* What is wrong with the page as it is now, one line each. */
const examine = (page, tags) => page.evaluate(async (values) => {
    const runOnly = { type: 'tag', values };
    const { violations } = await window.axe.run({ runOnly, resultTypes: ['violations'], iframes: false });
    const wrong = violations.flatMap(({ id, nodes }) => nodes.map((node) =>
        `${id}: ${node.target.join(' ')}: ${node.failureSummary.replace(/\s+/g, ' ')}`));
    const { scrollWidth, clientWidth } = document.scrollingElement;
    if (scrollWidth > clientWidth) wrong.push(`the page is ${scrollWidth} px wide, the window ${clientWidth}`);
    return wrong;
}, tags);

/* Asserts that the page's present state is without fault in all four settings; leaves it at 1280 px and light. `settle` is called
 * after each change of size. */
export async function isAccessible(page, state, settle = async () => {}) {
    const wrong = [];
    await page.evaluate(axe.source);
    for (const [scheme, width, height] of SETTINGS) {
        await dress(page, scheme, width, height);
        await settle(width);
        wrong.push(...(await examine(page, TAGS)).map((line) => `${state}, ${scheme}, ${width} px: ${line}`));
    }
    await dress(page, 'light', 1280, 800);
    assert.deepEqual(wrong, []);
}

/* Asserts that the page has said nothing to its console that is a complaint: faults of scripts, of the content security policy,
 * of loading. `expected` is a pattern of what the test itself has brought about. */
export function isQuiet(page, expected = /(?!)/) {
    const complaints = page.said.filter(({ type, text, url }) => ['error', 'warn', 'pageerror', 'issue'].includes(type)
        && !expected.test(`${text} ${url}`));
    assert.deepEqual(complaints, []);
}
