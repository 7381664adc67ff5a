/* The customer's pages without JavaScript: Chromium with JavaScript off from the first byte on, and the text browsers w3m and
 * lynx. The agent speaks HTTP here. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { NO_SCRIPT, appears, conferenceOf, emptyQueue, fillForm, launch, messagesOn, newPerson, openRoom, says, storedBy,
    textsOnceShown, when, windowOf } from '../lib/browser.js';
import { get, post, urlencoded } from '../lib/http.js';
import { startInstance, until } from '../lib/instance.js';
import { accept, act, allEvents, ask, readyAgent, say, sendFile, waitForOffer } from '../lib/people.js';

let instance, browser, folder;

before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-plain-'));
    instance = await startInstance({ settings: { capacity: 50 } });
    browser = await launch(NO_SCRIPT);
});
after(async () => {
    await browser?.close();
    await instance?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
});

const queue = async () => (await get(instance.base, '/cgi_bin/queue', { action: 'list' })).json().invitations;

afterEach(() => emptyQueue(instance));

/* A customer without JavaScript in his room: {person, room, log, write}; log and write are the frames. */
async function customer(t, entries = {}) {
    const person = await newPerson(browser);
    t.after(() => person.context.close());
    const room = await openRoom(person, instance.base, entries);
    const frame = (part) => until(() => room.frames().find((one) => one.url().includes(`part=${part}`)), `the frame ${part}`);
    return { person, room, log: await frame('log'), write: await frame('write') };
}

/* An agent takes that conference: {agent, staff}. */
async function taken(conference, login = 'anna') {
    const agent = await readyAgent(instance, login);
    const staff = await accept(instance, agent, await waitForOffer(instance, agent, conference));
    await act(instance, agent, 'notready');
    return { agent, staff };
}

async function fetchAs(person, url) {
    const cookie = (await person.context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    return get(instance.base, new URL(url, instance.base).pathname + new URL(url, instance.base).search, {}, { cookie });
}

function fileOf(name, text) {
    const file = path.join(folder, name);
    fs.writeFileSync(file, text);
    return file;
}

// ── Chromium ──

test('JavaScript is really off in this browser', async (t) => {
    const person = await newPerson(browser);
    t.after(() => person.context.close());
    await person.page.goto(`${instance.base}/agent.html`);
    await says(person.page, 'noscript', 'the desktop itself needs JavaScript');
});

test('the form opens the window; what is written in its frame appears, and the answer comes by itself beside a half-typed draft',
    async (t) => {
        const { person, room, log, write } = await customer(t);
        assert.equal(person.page.url(), `${instance.base}/cgi_bin/form_submit`, "the form's page stays");
        await says(log, '.pill', 'Number 1 in the queue');
        assert.deepEqual(await textsOnceShown(log, 'My box was open.'), ['My box was open.']);
        await write.type('#text', 'It smells of coffee.');
        await write.click('.composer .primary');
        await textsOnceShown(log, 'It smells of coffee.');
        await when(write, 'the field is empty again', () => document.readyState === 'complete'
            && !document.getElementById('text').value);

        await write.type('#text', 'Half a sent');
        const top = await room.evaluate(() => performance.timeOrigin);
        const { staff } = await taken(conferenceOf(room));
        await says(log, '.pill', 'A person is with you');
        const said = Date.now();
        await say(instance, staff, 'I am sorry, Ann!');
        const whole = ['My box was open.', 'It smells of coffee.', 'I am sorry, Ann!'];
        assert.deepEqual(await textsOnceShown(log, 'I am sorry, Ann!'), whole);
        assert.ok(Date.now() - said < 5000, `it came by the held request, not after one: ${Date.now() - said} ms`);
        assert.equal(await write.$eval('#text', (field) => field.value), 'Half a sent', 'the draft stays');
        await write.type('#text', 'ence.');
        await write.click('.composer .primary');
        await textsOnceShown(log, 'Half a sentence.');
        assert.deepEqual(await storedBy(instance, staff), [...whole, 'Half a sentence.']);
        assert.equal(await room.evaluate(() => performance.timeOrigin), top, 'the window itself was never loaded again');
    });

test('on a small screen the place in the queue is seen whole, below the log', async (t) => {
    const { room, log } = await customer(t);
    await room.setViewport({ width: 320, height: 568 });
    await log.$eval('.pill', (pill) => { pill.textContent = 'Number 14 in the queue · about 113 min'; });
    for (const height of [568, 480]) {
        await room.setViewport({ width: 320, height });
        await when(log, 'the pill ends within the frame', () => {
            const { top, bottom, height: lines } = document.querySelector('.pill').getBoundingClientRect();
            return lines > 30 && top > document.querySelector('.logw').getBoundingClientRect().bottom && bottom <= innerHeight;
        });
        assert.ok(await log.evaluate(() => document.scrollingElement.scrollHeight <= innerHeight), 'only the log scrolls');
        assert.ok(await log.$eval('.logw', (box) => box.clientHeight) >= 48);
    }
});

test('files go both ways', async (t) => {
    const { person, room, log, write } = await customer(t);
    const { staff } = await taken(conferenceOf(room));
    await (await write.$('#file')).uploadFile(fileOf('box.txt', 'a photo of the box'));
    await write.click('form[enctype] .btn');
    await says(log, 'li.me a.file', 'box.txt');
    await sendFile(instance, staff, 'label.txt', 'text/plain', 'a label to send it back');
    await says(log, 'li:not(.me) a.file', 'label.txt');
    for (const [name, text] of [['box.txt', 'a photo of the box'], ['label.txt', 'a label to send it back']]) {
        const [href] = await log.$$eval('a.file', (links, wanted) => links.filter((link) => link.textContent.includes(wanted))
            .map((link) => link.href), name);
        const file = await fetchAs(person, href);
        assert.equal(file.status, 200);
        assert.equal(file.body, text);
        assert.match(file.headers['content-disposition'], new RegExp(`^attachment.*${name}`));
    }
});

test('the customer leaves, rates and reads the transcript', async (t) => {
    const { person, room, log } = await customer(t, { name: 'Lea' });
    const { staff } = await taken(conferenceOf(room));
    await say(instance, staff, 'It is done.');
    await textsOnceShown(log, 'It is done.');
    await room.click('#leave .btn');
    await says(room, '#ended-title', 'The conversation has ended');
    await appears(room, '#rating');
    await room.click('#rating label:nth-of-type(4)');
    await room.click('#rating .primary');
    await says(room, '#ended', 'Thank you for your rating.');
    const rating = (await allEvents(instance, staff)).find((event) => event.kind === 'rating');
    assert.equal((rating.rating ?? rating).stars, 4);
    const transcript = await windowOf(person, () => room.click('#ended a[target=_blank]'));
    assert.match(await says(transcript, 'main', 'It is done.'), /Lea.*My box was open\./);
});

test('when the agent ends the conversation, the frame says so and leads to the end', async (t) => {
    const { room, log } = await customer(t, { name: 'Otto' });
    const { agent, staff } = await taken(conferenceOf(room));
    await says(log, '.pill', 'A person is with you');
    await act(instance, agent, 'end', { conf: staff.conference });
    await says(log, '.pill', 'Ended');
    await log.click('a.btn');
    await says(room, '#ended-title', 'The conversation has ended');
});

test('what comes too late is said in the frame, and the way out is the conversation', async (t) => {
    const { person, room, write } = await customer(t, { name: 'Ida' });
    assert.equal(await room.$('#call'), null, 'nobody is offered a call that cannot come');
    const { agent, staff } = await taken(conferenceOf(room));
    await act(instance, agent, 'end', { conf: staff.conference });
    await write.type('#text', 'One more thing');
    await write.click('.composer .primary');
    await says(write, 'main', 'This conversation has ended.');
    assert.equal(await write.$('a[href*=form_submit]'), null);
    await write.click('a.btn');
    await says(write, 'main', 'The conversation has ended.');
    assert.equal((await person.context.pages()).length, 2, 'in the same window');
});

test('a faulty form keeps its entries, has each fault beside its field, and goes on in the same window', async (t) => {
    const person = await newPerson(browser);
    t.after(() => person.context.close());
    await person.page.goto(`${instance.base}/cgi_bin/form_submit`);
    await fillForm(person.page, { name: 'Zoë <b>', phone: '12', email: 'zoe@example.com', question: 'Two\nlines & more' });
    const page = await windowOf(person, () => person.page.click('#start'));
    assert.match(await says(page, '#faults', 'Please check your entries'), /./);
    const entries = await page.$$eval('.in', (fields) => Object.fromEntries(fields.map((field) => [field.name, field.value])));
    assert.deepEqual({ name: entries.name, phone: entries.phone, email: entries.email, question: entries.question },
        { name: 'Zoë <b>', phone: '12', email: 'zoe@example.com', question: 'Two\nlines & more' });
    const fault = await page.$eval('#phone', (field) => ({
        isInvalid: field.getAttribute('aria-invalid'), described: field.getAttribute('aria-describedby'),
        text: field.nextElementSibling.textContent, id: field.nextElementSibling.id,
        href: document.querySelector('#faults a').hash,
    }));
    assert.equal(fault.isInvalid, 'true');
    assert.match(fault.text, /^[A-Z].+\.$/);
    assert.ok(fault.described.split(' ').includes(fault.id));
    assert.equal(fault.href, '#phone', 'the summary leads to the field');
    assert.equal(await page.$('#name[aria-invalid]'), null);
    await page.$eval('#phone', (field) => { field.value = ''; });
    await page.type('#phone', '603 555 1234');
    await page.click('#start');
    await appears(page, 'main.conf');
    assert.equal((await person.context.pages()).length, 2, 'it is the same window');
});

test('two clicks on Start are one conversation', async (t) => {
    const person = await newPerson(browser);
    t.after(() => person.context.close());
    await person.page.goto(`${instance.base}/cgi_bin/form_submit`);
    await fillForm(person.page, { name: 'Dolly' });
    const room = await windowOf(person, () => person.page.click('#start', { count: 2, delay: 5 }));
    await appears(room, 'main.conf');
    const first = conferenceOf(room), loaded = await room.evaluate(() => performance.timeOrigin);
    await person.page.bringToFront();
    await person.page.click('#start');
    await when(room, 'the window is loaded again', (before) => performance.timeOrigin > before
        && document.querySelector('main.conf'), loaded);
    assert.equal(conferenceOf(room), first);
    assert.equal((await queue()).filter((one) => one.conference === first).length, 1);
    assert.equal((await person.context.pages()).length, 2);
});

test('a form that was changed and sent again leads back into the conversation whose window it has taken', async (t) => {
    const person = await newPerson(browser);
    t.after(() => person.context.close());
    await person.page.goto(`${instance.base}/cgi_bin/form_submit`);
    await fillForm(person.page, { name: 'Toni' });
    const room = await windowOf(person, () => person.page.click('#start'));
    await appears(room, 'main.conf');
    const first = conferenceOf(room);
    await person.page.bringToFront();
    await person.page.type('#question', ' And it is wet.');
    await person.page.click('#start');
    await says(room, '#faults', 'Your conversation has begun already');
    assert.equal(await room.$eval('#question', (field) => field.value), 'My box was open. And it is wet.', 'the entries are kept');
    await room.click('#faults a');
    await appears(room, 'main.conf');
    assert.equal(conferenceOf(room), first);
    assert.deepEqual((await queue()).map((one) => one.conference), [first], 'nobody waits twice');
});

test('a form that was changed and sent again begins another conversation for who wants that', async (t) => {
    const person = await newPerson(browser);
    t.after(() => person.context.close());
    await person.page.goto(`${instance.base}/cgi_bin/form_submit`);
    await fillForm(person.page, { name: 'Toni' });
    const room = await windowOf(person, () => person.page.click('#start'));
    await appears(room, 'main.conf');
    const first = conferenceOf(room);
    await person.page.bringToFront();
    await person.page.type('#name', ' Two');
    await person.page.click('#start');
    await says(room, '#faults', 'begins another one, in which you wait anew');
    await room.click('#start');
    await appears(room, 'main.conf');
    assert.notEqual(conferenceOf(room), first);
    assert.equal((await queue()).length, 2);
});

test('a request that a server behind cannot take now is kept, and the page opens the conversation when it can', async (t) => {
    const person = await newPerson(browser);
    const programs = instance.processes('vcs_conf_schedule').map(({ pid }) => pid);
    assert.ok(programs.length);
    const signal = (name) => programs.forEach((pid) => process.kill(pid, name));
    t.after(async () => { signal('SIGCONT'); await person.context.close(); });
    await person.page.goto(`${instance.base}/cgi_bin/form_submit`);
    await fillForm(person.page, { name: 'Kurt' });
    signal('SIGSTOP');
    const page = await windowOf(person, () => person.page.click('#start'));
    await says(page, 'h1', 'We have your request');
    signal('SIGCONT');
    await appears(page, 'main.conf');
    assert.deepEqual((await queue()).map((one) => one.conference), [conferenceOf(page)]);
});

test('everything on one page: reading, writing, a file, leaving', async (t) => {
    const { person, room } = await customer(t, { name: 'Paula' });
    await Promise.all([room.waitForNavigation(), room.click('.plain a')]);
    assert.match(room.url(), /part=page/);
    await says(room, '.pill', 'in the queue');
    await room.type('#text', 'From one page.');
    await room.click('.composer .primary');
    assert.deepEqual(await textsOnceShown(room, 'From one page.'), ['My box was open.', 'From one page.']);
    assert.match(room.url(), /part=page/, 'it comes back to this page');
    const { staff } = await taken(conferenceOf(room));
    await say(instance, staff, 'Seen.');
    assert.equal((await messagesOn(room)).length, 2, 'this page stays still until it is asked');
    await room.click('p.row a.btn');
    await textsOnceShown(room, 'Seen.');
    await (await room.$('#file')).uploadFile(fileOf('page.txt', 'one page'));
    await room.click('form[enctype] .btn');
    const href = await when(room, 'the file is shown', () => document.querySelector('a.file')?.href);
    assert.equal((await fetchAs(person, href)).body, 'one page');
    await room.click('.btn.danger');
    await says(room, '#ended-title', 'The conversation has ended');
    assert.deepEqual(await storedBy(instance, staff), ['My box was open.', 'From one page.', 'Seen.']);
});

// ── text browsers ──

/* What a program says; its home is a folder of this test's own. One that does not read its input may end before it is written. */
const run = (program, args, input = '') => new Promise((done, failed) => {
    const child = execFile(program, args, { env: { ...process.env, HOME: folder, LC_ALL: 'C.UTF-8' }, encoding: 'utf8' },
        (fault, stdout) => (fault ? failed(fault) : done(stdout)));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
});

const SIGNS = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'" };
const unescape = (text) => text.replace(/&(amp|lt|gt|quot|#39|#x27);/g, (all, name) => SIGNS[name]);

/* The forms of a page: {action, type, fields}, fields being those with a value already. */
const formsOf = (html) => [...html.matchAll(/<form([^>]*)>(.*?)<\/form>/gs)].map(([, head, body]) => {
    const attribute = (text, name) => unescape(new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1] ?? '');
    const inputs = [...body.matchAll(/<(?:input|button)\b[^>]*>/g)].filter(([tag]) => /name=/.test(tag) && /value=/.test(tag));
    return { action: attribute(head, 'action'), type: attribute(head, 'enctype'), body,
        fields: Object.fromEntries(inputs.map(([tag]) => [attribute(tag, 'name'), attribute(tag, 'value')])) };
});

const isForText = (form) => /<textarea[^>]*name="text"/.test(form.body);

const READERS = { w3m: ['-dump', '-cols', '100'], lynx: ['-dump', '-width=100'] };
for (const [reader, args] of Object.entries(READERS)) {
    test(`${reader} reads the form, the window's link and the one-page version`, async () => {
        const one = await ask(instance, { name: 'Quentin', question: 'Is it 1 < 2?' });
        await say(instance, one, 'A second line & more');
        const form = await run(reader, [...args, `${instance.base}/cgi_bin/form_submit`]);
        assert.match(form, /Talk to us now.*Your name.*Phone number.*Your question.*Start the conversation/s);
        const room = await run(reader, [...args, one.window]);
        assert.match(room, /everything on one page/);
        assert.doesNotMatch(room, /Enter sends/, 'no key sends here');
        const page = await run(reader, [...args, `${one.window}&part=page`]);
        assert.match(page, /in the queue.*Look for new messages.*Messages.*You joined.*Is it 1 < 2\?.*A second line & more/s);
        assert.match(page, /A second line & more.*Write.*Message.*Send/s);
        assert.match(page, /Send file.*My problem is solved.*Leave.*Transcript so far.*\/call\/\d{7}/s);
        assert.doesNotMatch(page, /JavaScript|&amp;|<\/?[a-z]+>|Rate|ended/, 'nothing that is meant for others');
    });
}

for (const [reader, args] of Object.entries({ w3m: [...READERS.w3m, '-no-cookie'], lynx: READERS.lynx })) {
    test(`${reader} is shown nothing in the window that is hidden from others`, async () => {
        const one = await ask(instance, { question: 'Am I too late?' });
        const open = await run(reader, [...args, one.window]);
        assert.match(open, /in the queue.*My problem is solved.*Leave.*Am I too late\?/s);
        assert.doesNotMatch(open, /closed/);
        await post(instance.base, '/cgi_bin/conf_post', { conf: one.conference, token: one.token, kind: 'leave' });
        const ended = await run(reader, [...args, one.window]);
        assert.match(ended, /Ended.*Am I too late\?.*has ended.*Start again/s);
        assert.doesNotMatch(ended, /closed|My problem is solved|Leave|Message|Send$/m);
    });
}

test('lynx posts the form of the one-page version', async () => {
    const one = await ask(instance, { name: 'Rosa' });
    const query = { conf: one.conference, token: one.token, part: 'page' };
    const first = await followed(await get(instance.base, '/cgi_bin/conf_view', query, { accept: 'text/html' }));
    const [form] = formsOf(first.body).filter(isForText);
    const data = urlencoded({ ...form.fields, text: 'By lynx & with ümlauts' });
    const page = await run('lynx', [...READERS.lynx, '-post_data', instance.base + form.action], `${data}\n---\n`);
    assert.match(page, /It does not work\..*By lynx & with ümlauts/s, 'the answer is the page again');
    await run('lynx', [...READERS.lynx, '-post_data', instance.base + form.action], `${data}\n---\n`);
    const texts = await storedBy(instance, one);
    assert.deepEqual(texts, ['It does not work.', 'By lynx & with ümlauts'], 'the same form twice is one message');
});

/* Where a redirect leads, as a client without cookies goes. */
async function followed(answer) {
    assert.equal(answer.status, 303);
    return get(instance.base, answer.headers.location, {}, { accept: 'text/html' });
}

test('curl goes the whole way with the forms that it finds: start, message, file, leaving', async () => {
    const cookies = path.join(folder, 'cookies');
    const jar = ['-sSL', '--noproxy', '*', '-H', 'Accept: text/html', '-c', cookies, '-b', cookies];
    const form = ({ fields }, more) => Object.entries({ ...fields, ...more })
        .flatMap(([name, value]) => ['--data-urlencode', `${name}=${value}`]);
    const [start] = formsOf(await run('curl', [...jar, `${instance.base}/cgi_bin/form_submit`]));
    const entries = { name: 'Sören', phone: '603 555 1234', question: 'By curl' };
    const first = await run('curl', [...jar, ...form(start, entries), instance.base + start.action]);
    const link = unescape(/<a href="([^"]*part=page[^"]*)"/.exec(first)[1]);
    const page = await run('curl', [...jar, instance.base + link]);
    assert.match(page, /<span>By curl<\/span>/);
    const forms = formsOf(page);
    const message = forms.find(isForText);
    const withMessage = await run('curl', [...jar, ...form(message, { text: 'And more' }), instance.base + message.action]);
    assert.match(withMessage, /By curl.*And more/s);
    const file = forms.find((one) => one.type === 'multipart/form-data');
    const parts = Object.entries(file.fields).flatMap(([name, value]) => ['-F', `${name}=${value}`]);
    const sent = `file=@${fileOf('curl.txt', 'sent by curl')}`;
    const withFile = await run('curl', [...jar, ...parts, '-F', sent, instance.base + file.action]);
    const href = unescape(/<a class="file" href="([^"]*)"/.exec(withFile)[1]);
    assert.equal(await run('curl', [...jar, instance.base + href]), 'sent by curl');
    const leave = forms.find((one) => one.fields.kind === 'leave');
    assert.match(await run('curl', [...jar, ...form(leave, {}), instance.base + leave.action]), /The conversation has ended/);
});
