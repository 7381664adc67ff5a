/* Whether a page's words fit into it, at the widths that people have: nothing is scrolled sideways, and no word reaches out of the
 * window or of what scrolls it. What is cut on purpose, with an ellipsis or for ears only, is not looked at. */
import assert from 'node:assert/strict';
import { until } from './instance.js';

const WIDTHS = [320, 360, 1280];

/* What does not fit, one line each. */
function misfits() {
    const wrong = [];
    const name = (element) => `${element.tagName.toLowerCase()}${element.id ? `#${element.id}` : ''}${[...element.classList].map((one) =>
        `.${one}`).join('')}`;
    const isCut = (element) => element && (getComputedStyle(element).overflowX === 'hidden' || isCut(element.parentElement));
    const scroller = (element) => (!element || /auto|scroll/.test(getComputedStyle(element).overflowX) ? element
        : scroller(element.parentElement));
    const all = [...document.body.querySelectorAll('*')].filter((one) => one.checkVisibility() && !one.closest('noscript, svg'));
    const { scrollWidth } = document.scrollingElement;
    if (scrollWidth > innerWidth) wrong.push(`the page is ${scrollWidth} px wide, the window ${innerWidth}`);
    for (const one of all.filter((each) => !each.matches('textarea, input, select') && each.clientWidth)) {
        const isScroller = /auto|scroll/.test(getComputedStyle(one).overflowX);
        if (isScroller && one.scrollWidth > one.clientWidth) wrong.push(`${name(one)} is scrolled sideways`);
    }
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const { parentElement, data } = walk.currentNode;
        if (!data.trim() || !all.includes(parentElement) || parentElement.closest('.skip, option, textarea') || isCut(parentElement)) continue;
        const range = document.createRange();
        range.selectNodeContents(walk.currentNode);
        const edge = scroller(parentElement)?.getBoundingClientRect() ?? { left: 0, right: innerWidth };
        const { left, right } = range.getBoundingClientRect();
        if (left < edge.left - 1 || right > edge.right + 1) wrong.push(`'${data.trim().slice(0, 20)}' in ${name(parentElement)} reaches out`);
    }
    return wrong;
}

/* Asserts that everything on the page, or in the frame, fits at every width; `settle` is called after each change of it. */
export async function fits(page, state, settle = async () => {}) {
    const wrong = [];
    for (const width of WIDTHS) {
        await page.setViewport({ width, height: 640 });
        await until(() => page.evaluate((wanted) => window.innerWidth === wanted, width), `${width} px`);
        await settle(width);
        wrong.push(...(await page.evaluate(misfits)).map((line) => `${state}, ${width} px: ${line}`));
    }
    await page.setViewport({ width: 1280, height: 800 });
    assert.deepEqual(wrong, []);
}
