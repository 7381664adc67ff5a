/* The three ways of Apache, each with its file in conf/apache and the real programs: the whole way of the patent, and what Apache
 * alone decides: addresses, headers, logs, and that those who wait leave room for the others.
 *
 * Needs the whole machine. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { find, get, post, request } from '../lib/http.js';
import { buildFolder, freePort, isListening, processesOf, sleep, startInstance, tree, until } from '../lib/instance.js';
import { act, agentPoll, allEvents, ask, confPoll, conversation, say, signIn } from '../lib/people.js';
import { curlCase, largestRequests, refusedByTheServer, wholeWay } from '../lib/ways.js';
import { errorOf, html, json, schedule } from '../lib/wire.js';

const policy = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; " +
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

const ways = [
    { web: 'apache', name: 'mod_proxy_fcgi', longest: 25 },
    { web: 'fcgid', name: 'mod_fcgid', longest: 2 },
    { web: 'cgid', name: 'mod_cgid', longest: 2 },
];

async function leave(instance, member) {
    const form = { conf: member.conference, token: member.token, kind: 'leave', nonce: randomUUID() };
    assert.equal((await post(instance.base, '/cgi_bin/conf_post', form)).status, 200);
}

/* `count` customers in one room who each wait for its next event. */
function waiting(instance, customer, count, after) {
    const agent = new http.Agent({ maxSockets: Infinity });
    const path = `/cgi_bin/conf_poll?conf=${customer.conference}&token=${customer.token}&after=${after}&wait=25`;
    const state = { answered: [], stop: () => agent.destroy() };
    state.all = Promise.all(Array.from({ length: count }, () => {
        const began = performance.now();
        return request(instance.base, 'GET', path, { agent, timeout: 60000 }).then((answer) => {
            const one = { status: answer.status, s: (performance.now() - began) / 1000, headers: answer.headers,
                pause_s: answer.status === 200 ? answer.json().pause_s : undefined };
            state.answered.push(one);
            return one;
        });
    }));
    return state;
}

/* What the stand-in for `vcs` was given. */
function variables(answer) {
    assert.equal(answer.status, 200, answer.body);
    return Object.fromEntries(answer.body.trim().split('\n').map((line) => [line.slice(0, line.indexOf('=')),
        line.slice(line.indexOf('=') + 1)]));
}

/* The programs, with one in the place of `vcs` that says what it was given. */
function buildWithGiven() {
    const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-build-')));
    fs.cpSync(path.join(buildFolder, 'cgi-bin'), path.join(folder, 'cgi-bin'), { recursive: true });
    fs.cpSync(path.join(buildFolder, 'sbin'), path.join(folder, 'sbin'), { recursive: true });
    execFileSync('cc', ['-o', path.join(folder, 'cgi-bin/vcs'), path.join(tree, 'tests/lib/given.c'), '-lfcgi']);
    return folder;
}

async function timed(what) {
    const began = performance.now();
    const value = await what();
    return { value, ms: performance.now() - began };
}

for (const way of ways) describe(way.name, () => {
    let instance, base, build;

    before(async () => {
        build = buildWithGiven();
        instance = await startInstance({ web: way.web, build });
        base = instance.base;
    });
    after(async () => {
        await instance?.stop();
        fs.rmSync(build, { recursive: true });
    });

    test('the whole way of the patent: form, window, offer, both write, a file, the end, the transcript', async () => {
        await wholeWay(instance);
    });

    test('a browser\'s form is answered with the way to its window', async () => {
        const answer = await post(base, '/cgi_bin/form_submit', { name: 'Ann', phone: '+16035551234', reqid: randomUUID() }, html);
        assert.equal(answer.status, 303);
        const window = new URL(answer.headers.location, base);
        assert.equal(window.pathname, '/cgi_bin/conf_view');
        await leave(instance, { conference: window.searchParams.get('conf'), token: window.searchParams.get('token') });
    });

    test('the patent\'s own URL works under both spellings', async () => {
        for (const folder of ['cgi_bin', 'cgi-bin']) {
            const query = 'conf_type=reservationless&&subject=new_conference';
            const answer = await get(base, `/${folder}/vcs_conf_schedule?${query}`);
            assert.equal(answer.status, 200, answer.body);
            assert.equal(find(answer.xml(), 'subject')[0].text, 'new_conference');
        }
    });

    test('/call/CODE asks for the name and lets the caller in', async () => {
        const { participant, id } = await schedule(base);
        const asks = await get(base, `/call/${participant}`, {}, html);
        assert.equal(asks.status, 200, asks.body);
        assert.match(asks.body, /name="name"/);
        const joined = await post(base, `/call/${participant}`, { name: 'Eve' });
        assert.equal(joined.status, 200, joined.body);
        assert.equal(joined.xml().attributes.conference, id);
        assert.equal((await get(base, '/call/7654321')).status, 404, 'a code that does not exist');
    });

    test('the Authorization header reaches the programs', async () => {
        const agent = await signIn(instance, 'ben');
        assert.equal((await agentPoll(instance, agent)).agent.state, 'notready');
        assert.equal((await get(base, '/cgi_bin/agent_poll', { wait: 0 }, { bearer: 'a_wrong' })).status, 401);
    });

    test('news ends a wait at once; without news it lasts as long as this way can hold', async () => {
        const { agent, customer, staff } = await conversation(instance, 'ben');
        await act(instance, agent, 'notready');
        const { after } = await confPoll(instance, customer);
        const held = timed(() => confPoll(instance, customer, after, 20));
        await sleep(500);
        await say(instance, staff, 'Are you there?');
        const { value, ms } = await held;
        assert.equal(value.events.find((event) => event.kind === 'message')?.text, 'Are you there?');
        assert.ok(ms >= 400 && ms < 2500, `${ms} ms`);
        const idle = await timed(() => confPoll(instance, customer, value.after, 4));
        assert.deepEqual(idle.value.events, []);
        const most = Math.min(4, way.longest) * 1000;
        assert.ok(idle.ms > most - 300 && idle.ms < most + 1500, `${idle.ms} ms where ${most} were right`);
        await act(instance, agent, 'end', { conf: customer.conference });
    });

    test('while 60 polls are held, a page, a form and a message are answered as ever', async () => {
        const { agent, customer, staff } = await conversation(instance, 'sam');
        await act(instance, agent, 'notready');
        const { after } = await confPoll(instance, customer);
        const held = waiting(instance, customer, 60, after);
        await sleep(1000);
        const page = await timed(() => get(base, '/style.css'));
        assert.equal(page.value.status, 200);
        assert.ok(page.ms < 1000, `a page: ${page.ms} ms`);
        const form = await timed(() => ask(instance));
        assert.ok(form.ms < 4000, `a form: ${form.ms} ms`);
        await leave(instance, form.value);
        const message = await timed(() => say(instance, staff, 'All of you?'));
        assert.ok(message.ms < 4000, `a message: ${message.ms} ms`);
        const answers = await held.all;
        assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200]);
        await act(instance, agent, 'end', { conf: customer.conference });
    });

    if (way.web === 'apache') test('more polls than there is room for are held shortly or refused at once, all else is answered', async () => {
        const { agent, customer, staff } = await conversation(instance, 'anna');
        await act(instance, agent, 'notready');
        const { after } = await confPoll(instance, customer);
        const held = waiting(instance, customer, 1800, after);
        await sleep(4000);
        const early = held.answered.slice();
        const page = await timed(() => get(base, '/style.css'));
        assert.equal(page.value.status, 200);
        assert.ok(page.ms < 1000, `a page: ${page.ms} ms`);
        const message = await timed(() => say(instance, staff, 'All of you?'));
        assert.ok(message.ms < 1000, `a message: ${message.ms} ms`);
        const answers = await held.all;
        const refused = answers.filter((answer) => answer.status === 503);
        assert.ok(refused.every((answer) => answer.headers['retry-after'] === '2'));
        assert.ok(early.some((answer) => answer.status === 200), 'some were held for a second only');
        assert.ok(answers.length - early.length > 256, `${answers.length - early.length} were held on`);
        assert.deepEqual(answers.filter((answer) => ![200, 503].includes(answer.status)), []);
        await act(instance, agent, 'end', { conf: customer.conference });
    });

    test('the case in curl of the README', async () => {
        await curlCase(instance);
    });

    test('the largest request passes; what is too large is 413 in the form that was asked for', async () => {
        await largestRequests(instance);
        const body = { text: 'x'.repeat(140 * 1024) };
        assert.equal(errorOf(await post(base, '/cgi_bin/vcs_call', body)).code, 'too_large');
        const page = await post(base, '/cgi_bin/conf_post', body, html);
        assert.equal(page.status, 413);
        assert.match(page.body, /too large/i);
    });

    test('what Apache itself refuses is answered with our page, or by our sentence', async () => {
        await refusedByTheServer(instance.port);
    });

    test('a program that does not exist is 404 in the form that was asked for', async () => {
        const plain = await get(base, '/cgi_bin/nonsense');
        assert.equal(plain.status, 404);
        assert.equal(errorOf(plain).form, 'json');
        assert.equal(plain.headers['cache-control'], 'no-store');
        assert.equal(errorOf(await get(base, '/cgi_bin/vcs_nonsense')).form, 'xml');
        assert.match((await get(base, '/cgi_bin/nonsense', {}, html)).body, /nothing at this address/);
        for (const rawPath of ['/cgi_bin/', '/cgi_bin/conf_poll.d', '/cgi_bin/../../../../etc/passwd', '/cgi_bin/..%2fsbin%2frtcc']) {
            assert.ok([400, 404].includes((await get(base, '/', {}, { rawPath })).status), rawPath);
        }
    });

    test('pages come with the security headers and are asked for again each time', async () => {
        for (const address of ['/', '/agent.html', '/nothing.html']) {
            const page = await get(base, address, {}, html);
            assert.equal(page.status, address === '/nothing.html' ? 404 : 200);
            assert.equal(page.headers['content-security-policy'], policy);
            assert.equal(page.headers['x-content-type-options'], 'nosniff');
            assert.equal(page.headers['referrer-policy'], 'same-origin');
        }
        const style = await get(base, '/style.css');
        assert.equal(style.headers['cache-control'], 'no-cache');
        assert.match(style.headers['content-type'], /^text\/css/);
        assert.match((await get(base, '/js/conf.js')).headers['content-type'], /^(text|application)\/javascript/);
        assert.equal((await get(base, '/style.css', {}, { headers: { 'If-None-Match': style.headers.etag } })).status, 304);
        assert.match((await get(base, '/favicon.svg')).headers['cache-control'], /max-age=86400/);
        const form = await get(base, '/cgi_bin/form_submit', {}, html);
        assert.doesNotMatch(form.headers['content-security-policy'], /,/, "a program's own headers, once");
    });

    test("pages are compressed, programs' answers are not", async () => {
        const gzip = { headers: { 'Accept-Encoding': 'gzip' } };
        assert.equal((await get(base, '/style.css', {}, gzip)).headers['content-encoding'], 'gzip');
        const form = await get(base, '/cgi_bin/form_submit', {}, { ...html, ...gzip });
        assert.equal(form.headers['content-encoding'], undefined);
    });

    test('templates and hidden files are not served, however they are spelled', async () => {
        for (const rawPath of ['/templates/conf.html', '/templates', '/templates/', '//templates/conf.html',
            '/%74emplates/conf.html', '/x/../templates/conf.html', '/.hidden']) {
            assert.equal((await get(base, '/', {}, { rawPath })).status, 404, rawPath);
        }
        assert.notEqual((await get(base, '/js/')).status, 200, 'no folder is listed');
    });

    test('neither log has a query, a code or a token', async () => {
        const headers = { Referer: `${base}/x?token=m_sesame4` };
        await get(base, '/cgi_bin/conf_poll?token=m_sesame1', {}, { headers });
        await get(base, '/call/0196188?code=sesame2', {}, { headers });
        await get(base, '/nothing.html?token=m_sesame5', {}, { headers });
        await post(base, '/cgi_bin/form_submit?reqid=sesame6', { name: 'sesame7' }, { ...html, headers });
        await until(() => instance.log('access').includes('POST /cgi_bin/form_submit'), 'the log', 3000);
        await until(() => instance.log('access').includes('a path with a code'), 'the code\'s line', 3000);
        const logs = fs.readdirSync(path.join(instance.runDir, 'log')).map((name) => instance.log(path.parse(name).name)).join('');
        assert.match(logs, /"GET \/cgi_bin\/conf_poll HTTP\/1.1" 40[01]/);
        assert.doesNotMatch(logs, /sesame|0196188/);
    });

    test('a program is given its name and PATH_INFO apart, the query as it came, and no HTTP_PROXY', async () => {
        const headers = { Proxy: 'http://evil:1', Authorization: 'Basic YTpi', 'X-Other': 'it' };
        for (const folder of ['cgi_bin', 'cgi-bin']) {
            const given = variables(await get(base, `/${folder}/vcs/one%20two/3?a=1&&b=%202`, undefined, { headers }));
            assert.equal(given.SCRIPT_NAME, `/${folder}/vcs`);
            assert.equal(given.PATH_INFO, '/one two/3');
            assert.equal(given.QUERY_STRING, 'a=1&&b=%202');
            assert.equal(given.REMOTE_ADDR, '127.0.0.1');
            assert.equal(given.HTTP_HOST, `127.0.0.1:${instance.port}`);
            assert.equal(given.HTTP_AUTHORIZATION, 'Basic YTpi');
            assert.equal(given.HTTP_X_OTHER, 'it');
            assert.equal(given.HTTP_PROXY, undefined);
        }
        const plain = variables(await get(base, '/cgi_bin/vcs', undefined, { headers: { RTCC_HOLD_S: '25', Host: 'Help.example:8443' } }));
        assert.equal(plain.PATH_INFO ?? '', '');
        assert.equal(plain.HTTP_HOST, 'Help.example:8443');
        assert.equal(plain.RTCC_HOLD_S, way.web === 'fcgid' ? '2' : undefined, 'it is the web server\'s to say');
    });

    test('a Host header that contradicts the request line is not believed', async () => {
        const answer = await request(base, 'GET', '/cgi_bin/vcs', { rawPath: 'http://real.example/cgi_bin/vcs',
            headers: { Host: 'evil.example' } });
        if (answer.status === 200) assert.equal(variables(answer).HTTP_HOST, 'real.example');
        else assert.equal(answer.status, 400);
    });

    test('SIGTERM ends all of it and leaves the port free', async () => {
        assert.ok(instance.processes('apache2').length >= 2);
        const { runDir, port } = instance;
        const kept = processesOf(runDir).map((one) => one.pid);
        assert.deepEqual(await instance.stop(), { code: 0, signal: null });
        assert.deepEqual(processesOf(runDir), []);
        for (const pid of kept) assert.ok(!fs.existsSync(`/proc/${pid}`), `process ${pid}`);
        assert.equal(await isListening(port), false);
        instance = undefined;
    });
});

/* The numbers of the file, made smaller, so that a few pollers are more than there is room for. */
const WORKERS = 75, SEATS = 40, POLLERS = 100;
const smaller = {
    cgid: '',
    fcgid: `-e 's/RTCC_HOLD_S 2/RTCC_HOLD_S 25/' -e 's/RTCC_HOLD_MAX 90/RTCC_HOLD_MAX ${SEATS}/'`,
};

for (const web of ['cgid', 'fcgid']) describe(`programs and pages copied, rtcc init, and nothing else, mod_${web}`, () => {
    const user = process.getuid() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
    const conf = () => ({ ...process.env, PATH: `${process.env.PATH}:/usr/sbin`, RTCC_CONF: path.join(folder, 'rtcc.conf') });
    let folder, port, server;

    function idOf(what) {
        return Number(execFileSync('id', [what, 'www-data']));
    }

    before(async () => {
        folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-cp-')));
        port = await freePort();
        const run = (command, input = '') => execFileSync('bash', ['-euc', command], { ...user, env: conf(), cwd: folder, input });
        for (const [from, to] of [[path.join(buildFolder, 'cgi-bin'), 'cgi-bin'], [path.join(buildFolder, 'sbin/rtcc'), 'rtcc'],
            [path.join(tree, 'htdocs'), 'htdocs'], [path.join(tree, 'conf/apache'), 'conf/apache'],
            [path.join(tree, 'sbin/serve-apache'), 'serve-apache']]) fs.cpSync(from, path.join(folder, to), { recursive: true });
        for (const name of ['log', 'tmp', 'sock']) fs.mkdirSync(path.join(folder, name));
        fs.writeFileSync(path.join(folder, 'rtcc.conf'), `state_dir ${folder}/state\npages_dir ${folder}/htdocs\npassword_cost 1\n` +
            `collaboration_url http://127.0.0.1:${port}\nqueue_url http://127.0.0.1:${port}\n` +
            `cgi_hold_s 25\ncgi_hold_max ${SEATS}\n`);
        if (user.uid) execFileSync('chown', ['-R', `${user.uid}:${user.gid}`, folder]);
        run('./rtcc init');
        run('./rtcc agent add anna Anna agent', 'correct horse 42\n');
        run(`run=$PWD tree=$PWD build=$PWD port=${port}; . ./serve-apache; write_apache >apache.conf
            write_apache_site rtcc-${web}.conf | sed -e 's/MaxRequestWorkers 400/MaxRequestWorkers ${WORKERS}/' ${smaller[web]} >site.conf
            write_apache_site rtcc-site.inc >site.inc`);
        server = spawn('apache2', ['-d', folder, '-f', 'apache.conf', '-DFOREGROUND'], { ...user, env: conf(), stdio: 'ignore' });
        await until(() => isListening(port), 'apache2');
    });

    after(async () => {
        server?.kill('SIGTERM');
        if (server) await new Promise((done) => server.once('exit', done));
        fs.rmSync(folder, { recursive: true });
    });

    const instance = () => ({ base: `http://127.0.0.1:${port}`, password: 'correct horse 42' });

    test('are enough: a customer and an agent talk, without a process of ours that Apache has not started', async () => {
        const { agent, customer, staff } = await conversation(instance(), 'anna');
        await say(instance(), staff, 'Good morning, Ann.');
        await say(instance(), customer, 'Good morning!');
        const texts = (await allEvents(instance(), customer)).filter((event) => event.kind === 'message').map((event) => event.text);
        assert.deepEqual(texts.slice(-2), ['Good morning, Ann.', 'Good morning!']);
        await act(instance(), agent, 'end', { conf: customer.conference });
        assert.equal((await confPoll(instance(), customer)).state, 'ended');
    });

    test('of more polls than threads so many wait as may, and while they do a page, a form and a message are answered', async () => {
        const { agent, customer, staff } = await conversation(instance(), 'anna');
        const { after: seen } = await confPoll(instance(), customer);
        const polls = waiting(instance(), customer, POLLERS, seen);
        await until(() => polls.answered.length >= POLLERS - SEATS, 'those for whom there is no seat are answered', 20000);
        const early = polls.answered.slice();
        assert.deepEqual(early.filter((answer) => answer.status !== 200 || answer.pause_s !== 5), []);
        assert.equal((await get(instance().base, '/style.css')).status, 200);
        const other = await ask(instance());
        await leave(instance(), other);
        assert.equal(polls.answered.length, POLLERS - SEATS, 'the others are held all the while');
        await say(instance(), staff, 'All of you?');
        const late = (await polls.all).filter((answer) => !early.includes(answer));
        assert.equal(late.length, SEATS);
        assert.deepEqual(late.filter((answer) => answer.status !== 200 || answer.pause_s !== undefined), []);
        await act(instance(), agent, 'end', { conf: customer.conference });
    });
});
