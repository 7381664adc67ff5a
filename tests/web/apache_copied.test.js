/* Apache with mod_cgid and mod_fcgid where an administrator has copied programs and pages and called `rtcc init`, and nothing else
 * runs but `rtcc work` now and then; the second of them beside another site. Once is enough. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { get, post } from '../lib/http.js';
import { leave, pollOf, waiting } from '../lib/held.js';
import { buildFolder, freePort, isListening, sleep, tree, until } from '../lib/instance.js';
import { act, allEvents, ask, confPoll, conversation, say } from '../lib/people.js';
import { json } from '../lib/wire.js';

/* The numbers of the file, made smaller, so that a few pollers are more than there is room for. */
const WORKERS = 75, SEATS = 40, POLLERS = 100, VISITORS = 20, RELOADS = 5;
const smaller = {
    cgid: '',
    fcgid: `-e 's/RTCC_HOLD_S 2/RTCC_HOLD_S 25/' -e 's/RTCC_HOLD_MAX 90/RTCC_HOLD_MAX ${SEATS}/'`,
};

for (const web of ['cgid', 'fcgid']) describe(`programs and pages copied, rtcc init, and nothing else, mod_${web}`, () => {
    const user = process.getuid() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
    const conf = () => ({ ...process.env, PATH: `${process.env.PATH}:/usr/sbin`, RTCC_CONF: path.join(folder, 'rtcc.conf') });
    const run = (command, input = '') => execFileSync('bash', ['-euc', command], { ...user, env: conf(), cwd: folder, input });
    const besides = web === 'fcgid';
    let folder, port, server;

    function idOf(what) {
        return Number(execFileSync('id', [what, 'www-data']));
    }

    before(async () => {
        folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-cp-')));
        port = await freePort();
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
        run(`run=$PWD tree=$PWD build=$PWD port=${port}; . ./serve-apache
            write_apache | sed -e 's/header=20-40/header=100/' >apache.conf
            write_apache_site rtcc-${web}.conf | sed -e 's/\\(Thread.*\\|Workers\\) 400/\\1 ${WORKERS}/' ${smaller[web]} >site.conf
            write_apache_site rtcc-site.inc >site.inc`);
        if (besides) { /* as the head of the file says */
            fs.mkdirSync(path.join(folder, 'other'));
            fs.writeFileSync(path.join(folder, 'other/index.html'), 'another site');
            run(`sed -i 's/^    Use rtcc$/&\\n    ServerName help.example.com\\n    ServerAlias 127.0.0.1 localhost/' site.conf
                sed -i "s|^Include .*site.conf|<VirtualHost 127.0.0.1:${port}>\\nServerName other.example.com\\nDocumentRoot $PWD/other
</VirtualHost>\\n<Directory $PWD/other>\\nRequire all granted\\n</Directory>\\n&|" apache.conf`.replace('/other\n</', '/other\\n</'));
        }
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

    if (besides) test('another site stays, and ours answers to its name and to this machine', async () => {
        const page = async (host) => (await get(`http://127.0.0.1:${port}`, '/', undefined, { headers: { Host: host } })).body;
        assert.equal(await page('other.example.com'), 'another site');
        for (const host of ['help.example.com', 'localhost', '127.0.0.1']) assert.match(await page(host), /click here/, host);
    });

    test('a form that had to be kept is finished by rtcc work, as cron runs it', async () => {
        const file = path.join(folder, 'state/service.key'), form = { name: 'Ann', phone: '+16035551234', reqid: 'kept' };
        const send = () => post(instance().base, '/cgi_bin/form_submit', form, json), database = path.join(folder, 'state/rtcc.db');
        const kept = () => Number(run(`sqlite3 -cmd '.timeout 5000' ${database} 'SELECT count(*) FROM job'`));
        fs.renameSync(file, `${file}.away`);
        fs.writeFileSync(file, 'k_nobody.secret\n');
        assert.equal((await send()).status, 202);
        fs.renameSync(`${file}.away`, file);
        await until(() => {
            run(`sqlite3 -cmd '.timeout 5000' ${database} 'UPDATE job SET due_at = 0'`); // and not in the ten seconds of its sender
            run('./rtcc work');
            return kept() === 0;
        }, 'it is finished', 20000);
        const { conference, token } = (await send()).json();
        assert.equal((await confPoll(instance(), { conference, token })).state, 'waiting');
        await leave(instance(), { conference, token });
    });

    /* How many threads for requests each process has that has any: Apache's event MPM has two more in each, which accept. */
    const processesOfThreads = () => execFileSync('ps', ['-o', 'nlwp=', '--ppid', server.pid], { encoding: 'utf8' }).trim().split('\n')
        .map(Number).filter((threads) => threads > 1).map((threads) => threads - 2);

    /* So many look at something at once, on connections that are kept. Apache may just then have closed one. */
    const look = (agent) => Promise.all(Array.from({ length: VISITORS }, async () => {
        const again = (tries) => get(instance().base, '/style.css', undefined, { agent, timeout: 10000 }).catch((error) => {
            if (error.isUnheard && error.code === 'ECONNRESET' && tries > 1) return again(tries - 1);
            throw error;
        });
        assert.equal((await again(3)).status, 200);
    }));

    test('of more polls than threads so many wait as may, and while they do a page, a form and a message are answered', async () => {
        const visitors = new http.Agent({ keepAlive: true });
        await look(visitors);
        const { agent, customer, staff } = await conversation(instance(), 'anna');
        const { after: seen } = await confPoll(instance(), customer);
        const polls = waiting(instance(), pollOf(customer, seen), POLLERS);
        await until(() => polls.answered.length >= POLLERS - SEATS, 'those for whom there is no seat are answered', 20000);
        const early = polls.answered.slice();
        assert.deepEqual(early.filter((answer) => answer.status !== 200 || answer.pause_s !== 5), []);
        await look(visitors);
        visitors.destroy();
        const other = await ask(instance());
        await leave(instance(), other);
        assert.equal(polls.answered.length, POLLERS - SEATS, 'the others are held all the while');
        assert.deepEqual(processesOfThreads(), [WORKERS], 'no process has so few threads that polls hold all of them');
        await say(instance(), staff, 'All of you?');
        const late = (await polls.all).filter((answer) => !early.includes(answer));
        assert.equal(late.length, SEATS);
        assert.deepEqual(late.filter((answer) => answer.status !== 200 || answer.pause_s !== undefined), []);
        await act(instance(), agent, 'end', { conf: customer.conference });
    });

    /* mod_fcgid takes four seconds for each, with the same threads. */
    if (web === 'cgid') test(`reloaded ${RELOADS} times while somebody still sends to each process from before: others are served`, async () => {
        const slow = [];
        try {
            for (let i = 0; i < RELOADS; i++) {
                slow.push(net.connect({ port, host: '127.0.0.1' }).on('error', () => {}));
                slow[i].write('GET /style.css HTTP/1.1\r\nHost: 127.0.0.1\r\nAcc');
                await sleep(200); // it is read
                process.kill(server.pid, 'SIGUSR1');
                await until(() => processesOfThreads().length === i + 2, `reload ${i}: a process more`, 15000);
            }
            assert.equal((await get(instance().base, '/style.css', undefined, { timeout: 10000 })).status, 200);
        } finally {
            slow.forEach((one) => one.destroy());
        }
    });
});
