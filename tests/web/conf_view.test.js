/* conf_view: the conference's window and its one-page form, as a browser without JavaScript sees and uses them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { cookiesOf, get, post, request } from '../lib/http.js';
import { sleep, startInstance } from '../lib/instance.js';
import { act, allEvents, ask, confPoll, say, sendFile } from '../lib/people.js';
import { html, isError, isErrorPage, json, room, setCookies, talk } from '../lib/wire.js';

const url = '/cgi_bin/conf_view';
let instance, base;
before(async () => {
    instance = await startInstance({ settings: { file_max_bytes: 3000000 } });
    ({ base } = instance);
});
after(() => instance.stop());

const view = (who, query = {}, options = html) => get(base, url, { conf: who.conference, ...query }, options);
const onePage = (who) => view(who, { part: 'page' }, { bearer: who.token, ...html });
const decoded = (text) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&#39;', "'")
    .replaceAll('&#x27;', "'").replaceAll('&amp;', '&');
const leave = (who) => post(base, '/cgi_bin/conf_post', { conf: who.conference, token: who.token, kind: 'leave' });

/* A browser: follows what it is told, keeps cookies if it `takes` them. */
function browser(takes = true) {
    const jar = {};
    const go = async (method, address, options = {}) => {
        const cookie = Object.entries(jar).map(([name, value]) => `${name}=${value}`).join('; ');
        const to = new URL(address, base);
        assert.equal(to.host, new URL(base).host);
        const answer = await request(base, method, to.pathname + to.search, { ...html, cookie: cookie || undefined, ...options });
        if (takes) for (const [name, { value }] of Object.entries(setCookies(answer))) jar[name] = value;
        if (answer.status !== 303) return { ...answer, address: to.pathname + to.search };
        return go('GET', answer.headers.location);
    };
    return { get: (address) => go('GET', address), send: (form) => go('POST', form.action, form.options), jar };
}

/* The forms of a page: {action, kind, fields, options(entries)}. */
function formsOf(page) {
    const shown = [...page.body.matchAll(/<form ([^>]*)>(.*?)<\/form>/gs)].filter(([, head]) => !/ hidden\b/.test(head));
    return shown.map(([, head, inside]) => {
        const fields = Object.fromEntries([...inside.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
            .map(([, name, value]) => [name, decoded(value)]));
        return { action: decoded(/action="([^"]+)"/.exec(head)[1]), fields, isMultipart: head.includes('multipart/form-data'),
            has: (name) => new RegExp(`name="${name}"`).test(inside) };
    });
}

const formOf = (page, kind) => formsOf(page).find((form) => form.fields.kind === kind);
const filled = (form, entries) => ({ action: form.action, options: form.isMultipart ? { multipart: { ...form.fields,
    ...entries } }
    : { form: { ...form.fields, ...entries } } });

/* ── the token goes out of the address ── */

test('GET with the token sets the cookie and sends on to the address without it', async () => {
    const { customer } = await room(base), answer = await view(customer, { token: customer.token });
    assert.equal(answer.status, 303);
    assert.doesNotMatch(answer.headers.location, /m_\d/);
    assert.equal(Object.values(setCookies(answer))[0].value, customer.token);
    const one = browser(), page = await one.get(`${url}?conf=${customer.conference}&token=${customer.token}`);
    assert.equal(page.status, 200);
    assert.equal(page.address, `${url}?conf=${customer.conference}`, 'nothing but the conference stands in the address');
    assert.doesNotMatch(page.body, new RegExp(customer.token), 'and nowhere in the page');
    assert.equal((await one.get(page.address)).status, 200, 'loading it again is no fault');
});

test('a client without cookies is shown the window too, and everything works by the token', async () => {
    const { customer, agent } = await room(base), one = browser(false);
    const page = await one.get(`${url}?conf=${customer.conference}&token=${customer.token}`);
    assert.equal(page.status, 200);
    assert.match(page.body, /id="composer"/);
    const plain = await one.get(`${url}?conf=${customer.conference}&part=page&token=${customer.token}`);
    const sent = await one.send(filled(formOf(plain, 'message'), { text: 'without a cookie' }));
    assert.equal(sent.status, 200);
    assert.match(sent.body, /without a cookie/);
    assert.equal((await allEvents(instance, agent)).at(-1).text, 'without a cookie');
});

test('whoever sends the token as bearer sees the window at once', async () => {
    const { customer } = await room(base), page = await view(customer, {}, { bearer: customer.token });
    assert.equal(page.status, 200);
    assert.match(page.headers['content-type'], /^text\/html; *charset=utf-8$/i);
});

test('the way on for those without cookies opens nothing else', async () => {
    const { customer } = await room(base), other = await room(base);
    const { headers: { location } } = await view(customer, { token: customer.token });
    const ticket = new URL(location, base).searchParams.get('ticket');
    assert.equal((await view(customer, { ticket })).status, 200);
    isErrorPage(await view(other.customer, { ticket }), 401);
    const [member, at, mac] = ticket.split('.');
    for (const wrong of [`${other.customer.member}.${at}.${mac}`, `${member}.${Number(at) + 1000}.${mac}`, `${member}.${at}.x`,
        `${member}.${at - 61000}.${mac}`, 'x', '1.2', '..']) isErrorPage(await view(customer, { ticket: wrong }), 401);
    isError(await get(base, '/cgi_bin/conf_poll', { conf: customer.conference, ticket }), 'unauthorized');
});

test('a wrong token, no token and no conference are an error as a page', async () => {
    const { customer } = await room(base), other = await room(base);
    for (const page of [await view(customer), await view(customer, { token: 'm_1_x' })]) {
        assert.match(isErrorPage(page, 401), /^This link does not open the conversation; use the link that you were given, or /);
        assert.match(page.body, /Start a conversation/);
    }
    isErrorPage(await view(customer, { token: other.customer.token }), 401);
    isErrorPage(await view({ conference: '123456789012345server' }, { token: customer.token }), 401);
    isErrorPage(await get(base, url, { token: customer.token }, {}), 400);
    isError(await view(customer, {}, json), 'unauthorized');
    assert.deepEqual(setCookies(await view(customer, { token: 'm_1_x' })), {});
    isErrorPage(await request(base, 'POST', url, { form: { conf: customer.conference, token: customer.token }, ...html }), 405);
});

/* ── the window ── */

test('the window brings what its script needs, and no script of its own', async () => {
    const { customer } = await room(base), page = await view(customer, {}, { bearer: customer.token });
    assert.match(page.body, new RegExp(`data-conf="${customer.conference}"`));
    assert.match(page.body, /data-after="\d+"/);
    assert.match(page.body, /data-file-max="3000000"/, 'the limit of a file is told to the page before');
    assert.match(page.body, new RegExp(`data-member="${customer.member}"`));
    assert.doesNotMatch(page.body, /<script(?![^>]* src=)/);
    assert.doesNotMatch(page.body, / on[a-z]+="| style="/);
    assert.match(page.body, /part=page/, 'the way to the one page');
});

test('what people wrote is shown as they wrote it and never as markup', async () => {
    const { customer, agent } = await room(base);
    for (const text of ['<script>alert(1)</script>', '"\'><img src=x onerror=alert(1)>', '{{token}}', '&lt;b&gt;',
        '</textarea>']) {
        await say(instance, agent, text);
        for (const part of ['', 'page', 'log']) {
            const page = await view(customer, part ? { part } : {}, { bearer: customer.token });
            assert.ok(!page.body.includes(`<span>${text}</span>`) || !/[<>&]/.test(text), `${part}: ${text}`);
            assert.ok(decoded(page.body).includes(text), `${part}: ${text}`);
        }
    }
    await sendFile(instance, agent, '"><script>x', 'text/plain', 'x');
    assert.doesNotMatch((await onePage(customer)).body, /"><script>x/);
});

test("a note is in the staff's window and never in the customer's", async () => {
    const { customer, agent } = await room(base);
    const form = { conf: agent.conference, token: agent.token, kind: 'note', text: 'hush' };
    assert.equal((await post(base, '/cgi_bin/conf_post', form)).status, 200);
    for (const part of [{}, { part: 'page' }, { part: 'log' }]) {
        assert.doesNotMatch((await view(customer, part, { bearer: customer.token })).body, /hush/);
        assert.match((await view(agent, part, { bearer: agent.token })).body, /hush/);
    }
});

/* ── without JavaScript ── */

test('the one page reads, writes, sends a file and leaves, with nothing but forms', async () => {
    const { customer, agent } = await room(base, { subject: 'A broken box' }), one = browser();
    await one.get(`${url}?conf=${customer.conference}&token=${customer.token}`);
    await say(instance, agent, 'What is broken?');
    let page = await one.get(`${url}?conf=${customer.conference}&part=page`);
    assert.match(page.body, /<h1>A broken box<\/h1>/);
    assert.match(page.body, /What is broken\?/);
    assert.ok(formOf(page, 'message').has('text') && formOf(page, 'message').fields.csrf);
    page = await one.send(filled(formOf(page, 'message'), { text: 'The lid & the <hinge>' }));
    assert.match(page.address, /part=page/);
    assert.ok(decoded(page.body).includes('The lid & the <hinge>'));

    const upload = formsOf(page).find((form) => form.action === '/cgi_bin/file_put');
    page = await one.send(filled(upload, { file: { name: 'lid.png', type: 'image/png', data: '\u0089PNG' } }));
    const [, link] = /<a class="file" href="([^"]+)"/.exec(page.body);
    assert.equal((await one.get(decoded(link))).status, 200, 'the file can be had again');
    assert.ok(formOf(page, 'solved') && !formOf(page, 'call'), 'a call could only fail: there are no telephones');

    page = await one.send(filled(formOf(page, 'leave')));
    assert.equal(page.status, 200);
    assert.match(page.body, /has ended/);
    assert.equal(formOf(page, 'message'), undefined);
    const transcript = decoded(/href="(\/cgi_bin\/transcript[^"]+)"/.exec(page.body)[1]);
    assert.match((await one.get(transcript)).body, /What is broken\?/);
    page = await one.send(filled(formOf(page, 'rating'), { stars: '5', text: 'quick' }));
    assert.match(page.body, /Thank you/);
    const kinds = (await allEvents(instance, agent)).map((event) => event.kind);
    assert.deepEqual(kinds.filter((kind) => ['message', 'file', 'left', 'rating'].includes(kind)), ['message', 'message', 'file',
        'left', 'rating']);
});

test('a form that is sent twice is taken once: every page has nonces of its own', async () => {
    const { customer } = await room(base), page = await onePage(customer), form = filled(formOf(page, 'message'),
        { text: 'once' });
    for (let i = 0; i < 2; i++) assert.equal((await request(base, 'POST', form.action, { ...form.options, ...html,
        bearer: customer.token })).status, 303);
    assert.equal((await allEvents(instance, customer)).filter((one) => one.kind === 'message').length, 1);
    const nonces = formsOf(page).map((one) => one.fields.nonce);
    assert.equal(new Set(nonces).size, nonces.length);
    assert.notEqual(formOf(await onePage(customer), 'message').fields.nonce, form.options.form.nonce);
});

test('the place in the queue is on every page while he waits', async () => {
    const customer = await ask(instance);
    for (const part of [{}, { part: 'page' }, { part: 'log' }]) {
        const page = await view(customer, part, { bearer: customer.token });
        assert.match(page.body, /class="pill[^"]*warn/);
        assert.doesNotMatch(page.body, /class="pill[^"]*ok/);
    }
    await leave(customer);
});

test('part=write is the form alone, part=log what was said', async (t) => {
    const { customer, staff } = await talk(t, instance, 'anna');
    await say(instance, staff, 'said');
    const write = await view(customer, { part: 'write', token: customer.token }), log = await view(customer, { part: 'log',
        token: customer.token });
    assert.equal(write.status, 200, 'a frame keeps its token');
    assert.ok(formOf(write, 'message') && !/said/.test(write.body));
    assert.ok(/said/.test(log.body) && !formOf(log, 'message'));
    assert.match(formOf(write, 'message').fields.token, /^m_/);
});

test('part=log loads itself again, and the server holds that until there is news', async () => {
    const { customer, agent } = await room(base), log = await view(customer, { part: 'log', token: customer.token });
    const next = decoded(/http-equiv="refresh" content="0;url=([^"]+)"/.exec(log.body)[1]), began = performance.now();
    const waiting = get(base, next, {}, html).then((answer) => [answer, performance.now()]);
    await sleep(400);
    const said = performance.now();
    await say(instance, agent, 'news for the frame');
    const [page, at] = await waiting;
    assert.ok(at - began > 350 && at - said < 300, `${at - said} ms`);
    assert.match(page.body, /news for the frame/);
    assert.doesNotMatch(page.body, new RegExp(`url=${next.replace(/[.?]/g, '\\$&')}`), 'the next one waits for what comes after');
    await leave(customer);
    const ended = await view(customer, { part: 'log', token: customer.token });
    assert.doesNotMatch(ended.body, /http-equiv="refresh"/, 'after the end there is nothing to wait for');
    assert.match(ended.body, /has ended/);
});

test('when it has ended, every page says so and offers the rating', async (t) => {
    const { agent, customer } = await talk(t, instance, 'anna');
    await act(instance, agent, 'end', { conf: customer.conference });
    for (const part of [{}, { part: 'page' }]) {
        const page = await view(customer, part, { bearer: customer.token });
        assert.match(page.body, /The conversation has ended/);
        assert.ok(formOf(page, 'rating').has('stars'));
        assert.equal(page.body.match(/name="stars" value="[1-5]"/g).length, 5);
    }
    assert.equal((await confPoll(instance, customer)).state, 'ended');
});

test('a second tab and a reload change nothing', async () => {
    const { customer, agent } = await room(base), before = (await allEvents(instance, agent)).length;
    const cookie = cookiesOf(await view(customer, { token: customer.token }));
    for (let i = 0; i < 5; i++) assert.equal((await view(customer, {}, { cookie, ...html })).status, 200);
    assert.equal((await allEvents(instance, agent)).length, before);
});
