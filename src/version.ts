// The version of the package. It stands here, and is not read from package.json when the program runs: a bundle has no such file beside it.
// `npm run docs` writes it, and so does `npm version`; a test fails where it differs from package.json.
export const version = '0.1.0';
