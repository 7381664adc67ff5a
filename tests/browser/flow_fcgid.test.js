/* The way of the patent in a real browser through Apache with mod_fcgid, which holds polls for two seconds only. */
import { flow } from '../lib/flow.js';

flow({ web: 'fcgid' });
