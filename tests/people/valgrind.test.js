/* Every program under valgrind over a whole case, and the administrator's command with it: nothing is read before it was
 * written, nothing is freed twice, nothing definitely lost when it ends. Takes long. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { wholeFlow } from '../lib/everything.js';
import { startInstance, until } from '../lib/instance.js';
import { programNames } from '../lib/table.js';
import { rtcc } from '../lib/wire.js';
import { logsOf, wrap } from '../lib/wrapped.js';

let instance, watched;
before(async () => {
    watched = wrap((log) => `valgrind --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite --num-callers=12 `
        + `--vgdb=no --log-file=${log}.%p`);
    instance = await startInstance(watched);
});
after(async () => {
    await instance?.stop();
    watched?.clear();
});

const ended = (text) => /ERROR SUMMARY: (\d+) errors/.exec(text)?.[1];

/* Ends the programs that were watched, and waits for what they say then; multiwatch is held, so that it starts no others.
 * (serve starts `rtcc work` again: its log is not waited for.) */
async function endAll() {
    for (const { pid } of instance.processes('multiwatch')) process.kill(pid, 'SIGSTOP');
    const first = logsOf(watched).filter(({ text }) => ended(text) === undefined);
    for (const { pid } of first) process.kill(pid, 'SIGTERM');
    const logs = () => logsOf(watched).filter(({ pid, text }) => first.some((one) => one.pid === pid) || ended(text) !== undefined);
    await until(() => logs().every(({ text }) => ended(text) !== undefined), 'all have ended', 120000, 300);
    return logs();
}

test('over a whole case no program reads what was not written, and none loses memory', async () => {
    await wholeFlow(instance);
    const conf = `${instance.runDir}/rtcc.conf`;
    for (const args of [['agent', 'list'], ['agent', 'skill', 'anna', 'billing', '3'], ['key', 'add', 'x'], ['doctor', '--as-me'],
        ['topic', 'set', 'Orders', 'billing', '2'], ['backup', `${instance.runDir}/copy.db`]])
        assert.equal((await rtcc(watched.build, conf, args)).status, 0, args.join(' '));
    const logs = await endAll();
    for (const name of [...programNames, 'rtcc']) assert.ok(logs.some((log) => log.name === name), `${name} was watched`);
    const faults = logs.filter(({ text }) => ended(text) !== '0').map(({ name, text }) => `${name}:\n${text.slice(0, 3000)}`);
    assert.deepEqual(faults.slice(0, 3), [], `${faults.length} of ${logs.length} have faults`);
});
