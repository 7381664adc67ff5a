// kept: the request is kept because a server behind is down: asks every 5 s whether the conversation is open, and goes there.
// Asking in the background instead of reloading leaves a screen reader and a half-read sentence alone.
import { sleep } from './clock.js';

const again = document.getElementById('again').href;
const how = { redirect: 'manual', cache: 'no-store', headers: { Accept: 'text/html' } };
const tried = document.getElementById('tried');

for (let tries = 1; await sleep(5000); tries += 1) {
  const response = await fetch(again, how).catch(() => null);
  const isOpen = response && (response.type === 'opaqueredirect' || (response.status >= 400 && response.status < 500));
  if (isOpen) {
    location.replace(again);
    break;
  }
  if (tries % 6 === 0) tried.textContent = `Still waiting. Tried ${tries} times, last at ${new Date().toLocaleTimeString()}.`;
}
