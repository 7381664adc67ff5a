/* Makes the README's pictures: every page, photographed in a real browser while two people use it. `make pictures` is this. */
import path from 'node:path';
import { startInstance, sleep, tree } from '../lib/instance.js';
import { act, readyAgent } from '../lib/people.js';
import { appears, clickButton, launch, newPerson, openDesk, openRoom, preparePage } from '../lib/browser.js';

const folder = path.join(tree, 'tests/browser/pictures');
const size = { width: 960, height: 600 };
const SETTLED_MS = 800;

async function shoot(page, name) {
    await page.bringToFront();
    await sleep(SETTLED_MS);
    await page.screenshot({ path: path.join(folder, `${name}.png`) });
}

/* Somebody is free when the form is seen, and has something else to do when it is sent. */
async function shootCustomer(person, instance) {
    const { base } = instance, ben = await readyAgent(instance, 'ben');
    await person.page.goto(`${base}/`);
    await shoot(person.page, 'support');
    await person.page.goto(`${base}/cgi_bin/form_submit`);
    await shoot(person.page, 'form');
    await act(instance, ben, 'notready');
    const room = await openRoom(person, base, { question: 'My order 12345 arrived with its box open.' }, size);
    await shoot(room, 'waiting');
    return room;
}

async function shootDesk(person, instance) {
    await person.page.goto(`${instance.base}/agent.html`);
    await person.page.waitForSelector('input[name=login]', { visible: true });
    await shoot(person.page, 'sign');
    await openDesk(person, instance, 'anna');
    await person.page.select('#status', 'ready');
    await appears(person.page, '.invite .accept');
    await shoot(person.page, 'offer');
    await clickButton(person.page, 'Accept');
}

async function write(page, selector, text) {
    await page.bringToFront();
    await page.waitForSelector(selector, { visible: true });
    await page.type(selector, text);
    await page.keyboard.press('Enter');
    await sleep(SETTLED_MS);
}

async function shootPlain(browser, room) {
    const [{ name, value }] = (await room.browserContext().cookies()).filter((cookie) => cookie.name.includes('_m'));
    const context = await browser.createBrowserContext();
    await context.setCookie({ name, value, domain: '127.0.0.1', path: '/' });
    const page = await preparePage(await context.newPage(), { ...size, script: false });
    await page.goto(`${room.url()}&part=page`);
    await shoot(page, 'page');
}

const instance = await startInstance({ settings: { topics: 'Billing, Technical help, Other' } });
const browser = await launch();
try {
    const ann = await newPerson(browser, size);
    const anna = await newPerson(browser, { ...size, width: 1280, height: 800 });
    const room = await shootCustomer(ann, instance);
    await shootDesk(anna, instance);
    await write(anna.page, 'form.composer textarea', 'Good morning, Ann! I am sorry to hear that. A new one is on its way.');
    await write(room, '#text', 'That is quick, thank you!');
    await shoot(room, 'talking');
    await shoot(anna.page, 'desk');
    await shootPlain(browser, room);
} finally {
    await browser.close();
    await instance.stop();
}
