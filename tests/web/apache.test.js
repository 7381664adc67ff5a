/* The three ways of Apache, each with its file in conf/apache and the real programs: the whole way of the patent, and what Apache
 * alone decides: addresses, headers, logs. Once is enough: large.test.js has the sanitized programs behind all three. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { find, get, post, request } from '../lib/http.js';
import { leave } from '../lib/held.js';
import { buildFolder, isListening, processesOf, sleep, startInstance, tree, until } from '../lib/instance.js';
import { agentPoll, signIn } from '../lib/people.js';
import { curlCase, largestRequests, rawly, refusedByTheServer, refusedWithSecrets, wholeWay } from '../lib/ways.js';
import { errorOf, html, json, room, schedule } from '../lib/wire.js';

const policy = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; " +
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

const ways = [
    { web: 'apache', name: 'mod_proxy_fcgi' },
    { web: 'fcgid', name: 'mod_fcgid' },
    { web: 'cgid', name: 'mod_cgid' },
];

/* What the stand-in for `vcs` was given. */
function variables(answer) {
    assert.equal(answer.status, 200, answer.body);
    return Object.fromEntries(answer.body.trim().split('\n').map((line) => [line.slice(0, line.indexOf('=')),
        line.slice(line.indexOf('=') + 1)]));
}

/* The processes that run this file; of those that have ended meanwhile, none. */
const runningAs = (file) => fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
        return fs.readlinkSync(`/proc/${pid}/exe`) === file;
    } catch {
        return false;
    }
});

/* The programs, with one in the place of `vcs` that says what it was given. */
function buildWithGiven() {
    const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-build-')));
    fs.cpSync(path.join(buildFolder, 'cgi-bin'), path.join(folder, 'cgi-bin'), { recursive: true });
    fs.cpSync(path.join(buildFolder, 'sbin'), path.join(folder, 'sbin'), { recursive: true });
    execFileSync('cc', ['-o', path.join(folder, 'cgi-bin/vcs'), path.join(tree, 'tests/lib/given.c'), '-lfcgi']);
    return folder;
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

    if (way.web === 'apache') test('who does not send what he began is told so, in the form that was asked for', async () => {
        const begun = (name, accept) => rawly(instance.port, `POST /cgi_bin/${name} HTTP/1.1\r\nHost: a\r\nAccept: ${accept}\r\n` +
            'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\n', 40000); // Apache waits for 20 s
        const [script, service, page] = await Promise.all([begun('conf_post', 'application/json'), begun('vcs_call', 'application/xml'),
            begun('form_submit', 'text/html')]);
        assert.deepEqual([script, service, page].map((one) => one.status), [408, 408, 408]);
        assert.deepEqual([errorOf(script), errorOf(service)].map((one) => [one.form, one.code]), [['json', 'bad_parameter'],
            ['xml', 'bad_parameter']]);
        assert.match(page.body, /Back in a moment/);
    });

    test('a program that dies with a request in hand is unavailable, and it is said when to come again', async () => {
        const { id, customer } = await room(base), file = path.join(instance.runDir, 'app/build/cgi-bin/conf_poll');
        const { after } = (await get(base, '/cgi_bin/conf_poll', { conf: id, token: customer.token }, json)).json();
        const polls = [json, html].map((form) => get(base, '/cgi_bin/conf_poll', { conf: id, token: customer.token, after, wait: 5 }, form));
        await sleep(500); // both are held
        for (const pid of runningAs(file)) process.kill(pid, 'SIGKILL');
        for (const answer of await Promise.all(polls)) {
            if (way.web !== 'cgid' && answer.status === 200) continue; // the two others may ask once more, by themselves
            assert.ok([500, 503].includes(answer.status), `${answer.status}`); // by the module
            assert.equal(answer.headers['retry-after'], '2');
            assert.match(answer.body, /"code":"unavailable"|Back in a moment/);
        }
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
        assert.equal(form.headers['x-content-type-options'], 'nosniff');
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
        for (const before of ['/cgi_bin/conf_view%3Ftoken=', '/cgi_bin/conf_view;token=', '/cgi_bin/conf_view/', '/'])
            await get(base, '/', {}, { headers, rawPath: `${before}m_5_sesame9${'x_-Y'.repeat(9)}` });
        await refusedWithSecrets(instance.port);
        await post(base, '/cgi_bin/form_submit?reqid=sesame6', { name: 'sesame7' }, { ...html, headers });
        await until(() => instance.log('access').includes('POST /cgi_bin/form_submit'), 'the log', 3000);
        await until(() => instance.log('access').split('(a path with a code)').length > 5, 'the lines of codes and tokens', 3000);
        const logs = fs.readdirSync(path.join(instance.runDir, 'log')).map((name) => instance.log(path.parse(name).name)).join('');
        assert.match(logs, /"GET \/cgi_bin\/conf_poll HTTP\/1.1" 40[01]/);
        assert.doesNotMatch(logs, /sesame|019[^ ]{0,12}618/);
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

/* Apache's own words about a site's file under an MPM. */
function words(web, mpm, folder) {
    const made = spawnSync('bash', ['-euc', `run=$PWD tree=${tree} build=${buildFolder} port=8080; . ${tree}/sbin/serve-apache
        write_apache | sed -e 's/mpm_event/mpm_${mpm}/g' -e '/Thread/d' >apache.conf
        write_apache_site rtcc-${web}.conf >site.conf
        write_apache_site rtcc-site.inc >site.inc
        apache2 -t -d "$PWD" -f apache.conf`], { cwd: folder, encoding: 'utf8', env: { ...process.env,
        PATH: `${process.env.PATH}:/usr/sbin` } });
    return { status: made.status, said: made.stderr };
}

test('under prefork and worker rtcc-proxy.conf is refused with what to do, and the two others are taken', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-mpm-'));
    try {
        for (const name of ['log', 'tmp', 'sock']) fs.mkdirSync(path.join(folder, name));
        for (const mpm of ['event', 'prefork', 'worker']) {
            for (const web of ['proxy', 'cgid', 'fcgid']) {
                const { status, said } = words(web, mpm, folder), isRefused = web === 'proxy' && mpm !== 'event';
                assert.equal(status === 0, !isRefused, `${web} ${mpm}: ${said}`);
                assert.match(said, isRefused ? /rtcc-proxy\.conf needs the event MPM: a2dismod .* a2enmod mpm_event/ : /Syntax OK/);
            }
        }
    } finally {
        fs.rmSync(folder, { recursive: true });
    }
});
