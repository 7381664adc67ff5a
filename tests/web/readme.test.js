/* What the README tells to do does what it says, as it stands there. Once is enough. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { get } from '../lib/http.js';
import { buildFolder, demoPassword, freePort, isListening, processesOf, startInstance, tree, until } from '../lib/instance.js';
import { caseInCurl, curlCase, readme } from '../lib/ways.js';

test('the case in curl runs as it stands in the README and ends with its transcript', async () => {
    assert.ok(caseInCurl.trim().split('\n').length <= 30, 'the case has 30 lines at most');
    const instance = await startInstance();
    try {
        await curlCase(instance);
    } finally {
        await instance.stop();
    }
});

/* Ctrl-C in a terminal reaches all that was started there; `kill` reaches make alone. */
const ends = { 'Ctrl-C': (make) => process.kill(-make.pid, 'SIGINT'), SIGTERM: (make) => make.kill('SIGTERM') };

for (const [web, end] of [['nginx', 'Ctrl-C'], ['nginx', 'SIGTERM'], ['apache', 'Ctrl-C'], ['fcgid', 'Ctrl-C'], ['cgid', 'Ctrl-C']]) {
    test(`make run WEB=${web} says when it is ready, serves, and is gone after ${end}`, async () => {
        const run = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-run-'))), port = await freePort();
        const make = spawn('make', [`O=${buildFolder}`, `PORT=${port}`, `RUN=${run}`, `WEB=${web}`, 'run'], { cwd: tree, detached: true,
            stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, RTCC_DEMO_PASSWORD: demoPassword } });
        const gone = new Promise((done) => make.once('close', done));
        let said = '';
        for (const stream of [make.stdout, make.stderr]) stream.on('data', (data) => { said += data; });
        try {
            await until(() => said.includes(`\nready http://127.0.0.1:${port}/\n`), 'it is ready', 30000);
            assert.equal((await get(`http://127.0.0.1:${port}`, '/cgi_bin/form_submit')).status, 200);
            ends[end](make);
            await gone;
            await until(() => processesOf(run).length === 0, 'nothing of it is left');
            assert.equal(await isListening(port), false);
        } finally {
            if (make.exitCode === null && make.signalCode === null) process.kill(-make.pid, 'SIGKILL');
            fs.rmSync(run, { recursive: true, force: true });
        }
    });
}

test('every file and picture that the README names is there', () => {
    const names = [...readme.matchAll(/\]\(([^)#:]+)\)|`((?:cgi-bin|sbin|lib|sql|htdocs|conf|tests)\/[\w./-]*)`/g)];
    assert.ok(names.length > 20);
    for (const [, link, code] of names) {
        const name = (link ?? code).replace('NAME', 'vcs');
        if (/[*…]/.test(name)) continue;
        assert.ok(fs.existsSync(path.join(tree, name)), `${name} is named but not there`);
    }
});
