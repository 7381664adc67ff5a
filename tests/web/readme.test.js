/* The README's case in curl does what it says, as it stands there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startInstance, tree } from '../lib/instance.js';

const readme = fs.readFileSync(path.join(tree, 'README'), 'utf8');

test('the case in curl runs as it stands in the README and ends with its transcript', async () => {
    const [, script] = readme.match(/```sh\n([\s\S]*?)```/);
    assert.ok(script.trim().split('\n').length <= 30, 'the case has 30 lines at most');
    const instance = await startInstance();
    try {
        const env = { ...process.env, BASE: instance.base, RTCC_DEMO_PASSWORD: instance.password };
        const { stdout } = await promisify(execFile)('sh', ['-eu', '-c', script], { env, timeout: 30000 });
        for (const said of ['Ann: My box was open.', 'Anna: Good morning, Ann.', 'Ann: Good morning!', 'The conversation has ended'])
            assert.ok(stdout.includes(said), `'${said}' is missing in:\n${stdout}`);
    } finally {
        await instance.stop();
    }
});

test('every file and picture that the README names is there', () => {
    const names = [...readme.matchAll(/\]\(([^)#:]+)\)|`((?:cgi-bin|sbin|lib|sql|htdocs|conf|tests)\/[\w./-]*)`/g)];
    assert.ok(names.length > 20);
    for (const [, link, code] of names) {
        const name = (link ?? code).replace('NAME', 'vcs');
        if (/[*…]/.test(name)) continue;
        assert.ok(fs.existsSync(path.join(tree, name)), `${name} is named but not there`);
    }
});
