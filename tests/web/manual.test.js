/* The pages of the manual say what the programs say of themselves, and their examples work as they stand there.
 * Once is enough. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { buildFolder, startInstance, tree } from '../lib/instance.js';

const programs = fs.readdirSync(path.join(tree, 'cgi-bin')).filter((name) => name.endsWith('.c'))
    .map((name) => path.parse(name).name);
const read = (name) => fs.readFileSync(path.join(tree, name), 'utf8');

/* The text of a section of a page, as it stands in the file. */
const section = (page, name) => page.split(/^\.Sh /m).find((part) => part.startsWith(`${name}\n`)) ?? '';

/* What a page says of each parameter: {name: text}; and '' for what stands before the list. */
function entries(page) {
    const [intro, ...items] = section(page, 'PARAMETERS').split(/^\.It Cm /m);
    return Object.fromEntries([['', intro], ...items.flatMap((item) => {
        const [names, ...text] = item.split('\n');
        return names.split(' , ').map((name) => [name, text.join('\n')]);
    })]);
}

/* What a program says of each of its parameters: [name, how it is checked]. */
const table = (program) => [...execFileSync(path.join(buildFolder, 'cgi-bin', program), ['--help'], { encoding: 'utf8' })
    .matchAll(/^ {2}([a-z_]+) +(.*)\n {21}/gm)].map(([, name, check]) => [name, check]);

for (const program of programs) {
    test(`${program}.8 says of every parameter its limits and whether it is required`, () => {
        const said = entries(read(`cgi-bin/${program}.8`));
        const own = table(program);
        assert.ok(own.length > 0, `${program} --help lists its parameters`);
        for (const [name, check] of own) {
            assert.ok(name in said, `${name} is missing`);
            for (const limit of check.match(/\d+/g) ?? [])
                assert.match(said[name] + said[''], new RegExp(`\\b${limit}\\b`), `${name}: ${check}`);
            if (check.includes('required')) assert.match(said[name], /^Required/, `${name} is required`);
        }
    });
}

/* The blocks of an EXAMPLES section as a script. */
const script = (page) => [...section(page, 'EXAMPLES').matchAll(/^\.Bd -literal.*\n([\s\S]*?)^\.Ed$/gm)]
    .map(([, block]) => block.replace(/^\\&/gm, '').replaceAll('\\e', '\\')).join('\n');

let instance, home;
before(async () => {
    instance = await startInstance();
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-manual-'));
});
after(async () => {
    fs.rmSync(home, { recursive: true, force: true });
    await instance?.stop();
});

/* A curl that is answered with an error fails, and what fails ends the script. Where root runs this, the programs are root's. */
const run = (page) => promisify(execFile)('bash', ['-euo', 'pipefail', '-c', `
    curl() { command curl --fail-with-body "$@"; }
    rtcc() { [ "$1" = doctor ] && set -- doctor --as-me; command rtcc "$@"; }
    ${script(read('cgi-bin/rtcc_cgi.7'))}
    ${page.endsWith('.7') ? '' : script(read(page))}`], {
    cwd: home, timeout: 30000,
    env: {
        ...process.env, BASE: instance.base, RTCC_DEMO_PASSWORD: instance.password, HOME: home, TMPDIR: home,
        RTCC_CONF: path.join(instance.runDir, 'rtcc.conf'), PATH: `${path.join(buildFolder, 'sbin')}:${process.env.PATH}`,
    },
});

for (const page of ['cgi-bin/rtcc_cgi.7', 'sbin/rtcc.8', ...programs.map((program) => `cgi-bin/${program}.8`)]) {
    test(`the examples of ${path.basename(page)} work as they stand there`, async () => {
        assert.match(script(read(page)), page.startsWith('sbin/') ? /^rtcc /m : /curl /);
        await run(page);
    });
}
