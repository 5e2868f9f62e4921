// Refuses request bodies as the real API does: 422 in Laravel's shape. Rules are data; what is optional here is
// what the reference shows working without it.
import type { JsonObject } from './control-fields.ts';
import type { FieldErrors } from './replies.ts';

export interface Rule {
  field: string;
  required?: boolean;
  isValid: (value: unknown) => boolean;
  complaint: string;
}

export function findErrors(body: JsonObject, rules: readonly Rule[]): FieldErrors | null {
  const errors: FieldErrors = {};
  for (const rule of rules) {
    const complaint = complaintAbout(body[rule.field], rule);
    if (complaint !== null) errors[rule.field] = [complaint];
  }
  return Object.keys(errors).length > 0 ? errors : null;
}

function complaintAbout(value: unknown, { field, required, isValid, complaint }: Rule): string | null {
  if (value === undefined || value === null || value === '') {
    return required ? `The ${field} field is required.` : null;
  }
  return isValid(value) ? null : complaint;
}

/** Sent as booleans by the docs and as 0 by PBAC, which worked live (section 4 [F]). */
export const booleanRule = (field: string, required = false): Rule => ({
  field,
  required,
  isValid: (value) => [true, false, 0, 1, '0', '1'].some((accepted) => accepted === value),
  complaint: `The ${field} field must be true or false.`,
});

export const choiceRule = (field: string, values: readonly unknown[], required = false): Rule => ({
  field,
  required,
  isValid: (value) => values.includes(value),
  complaint: `The selected ${field} is invalid.`,
});

export const textRule = (field: string, required = false): Rule => ({
  field,
  required,
  isValid: (value) => typeof value === 'string',
  complaint: `The ${field} must be a string.`,
});

const HOST_NAME = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$/i;

/** RunCloud's own rules are not known (Unknown, line 3): an ASCII host name with a dot, no wildcard, no port. */
export const hostNameRule: Rule = {
  field: 'name',
  required: true,
  isValid: (value) => typeof value === 'string' && HOST_NAME.test(value),
  complaint: 'The name format is invalid.',
};

export const toBoolean = (value: unknown): boolean => value === true || value === 1 || value === '1';
