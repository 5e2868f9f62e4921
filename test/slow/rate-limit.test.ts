// Scenario 20 with ten thousand adds, at the highest rate that can be configured. `npm test` plays it with 700.
import { test } from '@jest/globals';
import { proveBurst } from '../helpers/burst.ts';

test('a remove behind 10,000 adds gets one of the first free slots, and each add is applied once', () =>
  proveBurst(10_000));
