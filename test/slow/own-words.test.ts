// Random customers, as in `npm test`, and more of them.
import { testRandomCustomers } from '../helpers/own-words.ts';

testRandomCustomers(25);
