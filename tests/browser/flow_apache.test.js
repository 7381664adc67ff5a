/* The way of the patent in a real browser through Apache with mod_proxy_fcgi. */
import { flow } from '../lib/flow.js';

flow({ web: 'apache' });
