/* The application server on one host, collaboration and queue on another: the flow, the cookies, and keys right and wrong. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { count, startHosts } from '../lib/hosts.js';
import { get, post } from '../lib/http.js';
import { until } from '../lib/instance.js';
import { confPoll } from '../lib/people.js';
import { wholeWay } from '../lib/ways.js';
import { html, isError, json, setCookies } from '../lib/wire.js';

const url = '/cgi_bin/form_submit', good = { name: 'Ann', phone: '+16035551234', question: 'My box was open.' };
let hosts, app, collab, key;
before(async () => {
    hosts = await startHosts();
    ({ app, collab, key } = hosts);
});
after(() => hosts?.stop());

const asCollab = () => ({ headers: { Host: `collab.localhost:${collab.port}` } });
const made = () => ['conference', 'member', 'invitation'].map((table) => count(collab, table));

test('a form sent to one host is a conference, an invitation and a member on the other, and only there', async () => {
    const answer = await post(app.base, url, { ...good, reqid: 'two hosts' }, json);
    assert.equal(answer.status, 200, answer.body);
    const { conference, token, window, queue } = answer.json();
    assert.ok(window.startsWith(`http://collab.localhost:${collab.port}/cgi_bin/conf_view?`), window);
    assert.equal(queue.position, 1);
    for (const table of ['conference', 'member', 'invitation']) {
        assert.equal(count(app, table), 0, `${table} of the application server`);
        assert.equal(count(collab, table), 1, table);
    }
    assert.equal(count(collab, 'request'), 0);
    assert.equal((await confPoll(collab, { conference, token })).state, 'waiting');
    isError(await get(app.base, '/cgi_bin/conf_poll', { conf: conference, token, wait: 0 }), 'unauthorized');
    const listed = (await get(collab.base, '/cgi_bin/vcs', { all_vanities: true })).body;
    assert.doesNotMatch(listed, new RegExp(conference), "the key's conferences are its own");
    await post(collab.base, '/cgi_bin/conf_post', { conf: conference, token, kind: 'leave' }, json);
});

test('the whole way of the patent: the form on one host, all else on the other', async () => {
    await wholeWay(collab, app, [collab.base, `http://collab.localhost:${collab.port}`]);
    assert.equal(count(app, 'conference'), 0);
});

test('each cookie is set by its own host and for no other', async () => {
    const sent = await post(app.base, url, { ...good, reqid: 'cookies' }, html);
    assert.equal(sent.status, 303);
    assert.deepEqual(setCookies(sent), {}, 'the application server has none to give');
    const window = new URL(sent.headers.location);
    assert.equal(window.host, `collab.localhost:${collab.port}`);
    const shown = await get(collab.base, window.pathname + window.search, {}, { ...html, ...asCollab() });
    const [[name, { flags }]] = Object.entries(setCookies(shown));
    assert.match(name, new RegExp(`^rtcc${collab.port}_m\\d{15}$`));
    assert.ok(!flags.some((flag) => flag.startsWith('domain')), 'without Domain it goes back to that host only');
    assert.ok(['httponly', 'path=/', 'samesite=lax'].every((flag) => flags.includes(flag)), flags.join());
    const [conf, token] = ['conf', 'token'].map((each) => window.searchParams.get(each));
    await post(collab.base, '/cgi_bin/conf_post', { conf, token, kind: 'leave' }, json);
});

test('without the right key the other host refuses and makes nothing, and the form is kept until the key is right', async () => {
    const refused = [[{}, 'no key'], [{ bearer: 'k_nobody.secret' }, 'an unknown one'], [{ bearer: `${key}x` }, 'a wrong secret']];
    const earlier = made();
    for (const [credential, what] of refused) {
        for (const [name, form] of [['vcs_conf_schedule', {}], ['queue', { action: 'put', conf: '1server', url: 'http://x/' }]]) {
            const answer = await post(collab.base, `/cgi_bin/${name}`, form, { ...json, ...asCollab(), ...credential });
            assert.equal(answer.status, 401, `${name} with ${what}`);
            isError(answer, 'unauthorized');
        }
    }
    for (const [wrong, reqid] of [['', 'kept without'], ['k_nobody.secret', 'kept with another'], [`${key}x`, 'kept with a wrong']]) {
        hosts.useKey(wrong);
        const answer = await post(app.base, url, { ...good, reqid }, json);
        assert.equal(answer.status, 202, answer.body);
        assert.equal(answer.json().state, 'kept');
    }
    assert.deepEqual(made(), earlier, 'nothing is half made');
    hosts.useKey(key);
    await until(() => count(app, 'request WHERE is_done = 0') === 0, 'all three are finished by themselves', 40000, 200);
    assert.deepEqual(made(), earlier.map((each) => each + 3));
});

test('a key that was revoked opens nothing, and the next one goes on with what was kept', async () => {
    const earlier = made();
    await hosts.revoke(key);
    assert.equal((await post(app.base, url, { ...good, reqid: 'revoked' }, json)).status, 202);
    assert.deepEqual(made(), earlier);
    key = await hosts.newKey();
    hosts.useKey(key);
    const again = await post(app.base, url, { ...good, reqid: 'revoked' }, json);
    assert.equal(again.status, 200, again.body);
    assert.deepEqual(made(), earlier.map((each) => each + 1));
});
