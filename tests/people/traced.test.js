/* Every program traced over a whole case: none starts another program, whatever it is asked. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { wholeFlow } from '../lib/everything.js';
import { hostileValues } from '../lib/hostile.js';
import { get, post } from '../lib/http.js';
import { startInstance, until } from '../lib/instance.js';
import { programNames, tableOf } from '../lib/table.js';
import { logsOf, wrap } from '../lib/wrapped.js';

let instance, traced;
before(async () => {
    traced = wrap((log) => `strace -D -f -qq -s 200 -e trace=execve,execveat,openat,clone,vfork -o ${log}.$$`);
    instance = await startInstance(traced);
});
after(async () => {
    await instance?.stop();
    traced?.clear();
});

test('over a whole case, and with every hostile value, no program is started', async () => {
    await wholeFlow(instance);
    for (const program of programNames) {
        for (const [i, value] of hostileValues.filter(({ bytes }) => bytes?.length < 2000).entries()) {
            const table = tableOf(program), param = table[i % table.length];
            await (i % 2 ? get : post)(instance.base, `/cgi_bin/${program}`, { wait: 0, [param.name]: value.bytes.toString('utf8') });
        }
    }
    await until(() => logsOf(traced).length > programNames.length, 'the traces');
    const logs = logsOf(traced);
    for (const name of [...programNames, 'rtcc']) {
        const own = logs.filter((log) => log.name === name);
        assert.ok(own.length > 0, `${name} was traced`);
        for (const { text } of own) {
            const started = text.split('\n').filter((line) => /exec(ve|veat)\(/.test(line));
            assert.equal(started.length, 1, `${name}: its own start and no other:\n${started.join('\n')}`);
            assert.match(started[0], new RegExp(`/(cgi-bin|sbin)/${name}"`));
        }
        assert.ok(own.some(({ text }) => /openat\(.*rtcc\.conf/.test(text)), `${name}: the trace sees what it does`);
    }
});
