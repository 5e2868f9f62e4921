// The whole path on API v2; `npm test` plays it on v3.
import { testVariants } from '../helpers/worker-variants.ts';

testVariants('v2');
