/* rtcc as an administrator installs it, on machines of their own, whose port is 80 and whose places are the real ones: behind Apache
 * as Debian has it, with its package's own settings, by the heads of conf/apache, in each of the three ways; and behind nginx, with
 * the units of conf/systemd, by the README. Once is enough: nobody installs sanitized programs. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { buildFolder, demoPassword, tree } from '../lib/instance.js';

const here = path.join(tree, 'tests/web/stock');
const asRoot = process.getuid() === 0 ? [] : ['sudo', '-n', `RTCC_DEMO_PASSWORD=${demoPassword}`];

/* What a machine of that kind says to the end, when all is well. */
async function trial(...what) {
    const [command, ...args] = [...asRoot, path.join(here, 'machine'), ...what, tree, buildFolder];
    const { stdout } = await promisify(execFile)(command, args, { timeout: 120000,
        env: { ...process.env, RTCC_DEMO_PASSWORD: demoPassword } }).catch((error) => assert.fail(`${error.stderr}\n${error.stdout}`));
    return stdout;
}

/* What `rtcc doctor` says last. */
function isWell(said) {
    const lines = said.split('\n').filter(Boolean), checks = lines.slice(lines.lastIndexOf('the whole way') + 1);
    assert.ok(checks.length > 10 && checks.every((line) => line.startsWith('ok ')), said);
}

describe('a machine with Debian\'s packages', { concurrency: true }, () => {
    for (const way of ['proxy', 'fcgid', 'cgid']) {
        test(`rtcc-${way}.conf works as it is: copied, rtcc init, and the whole way of the patent is open`, async () => {
            const said = await trial('apache', path.join(here, 'debs'), path.join(here, 'apache'), way);
            assert.match(said, /^the whole way$/m);
            isWell(said);
        });
    }

    test('the units work under systemd as the README says; all can be killed, upgraded on the way, ended, restored', async () => {
        const said = await trial('systemd', path.join(here, 'systemd'));
        assert.equal(said.match(/^the whole way$/gm)?.length, 6, said);
        isWell(said);
    });
});
