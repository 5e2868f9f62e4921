// The whole path on API v3; `npm run test:slow` plays it on v2.
import { testVariants } from '../helpers/worker-variants.ts';

testVariants('v3');
