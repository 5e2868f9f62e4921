// The Lua that decides who has a host name, inside the step that records a request (REQUEST, CLAIM): of two that race, one wins.

// `own`, `bare`, `twin`: the records of this domain, of the domain whose www name it is (`own` again where it is none), and of its
// www name. Only who is wanted present has anything. A record that is wanted itself has its name, whatever another one says.
// -> the desired as it counts, and who has the name that it would take ('bare', 'twin', or nil); third: true where www gave way.
export const ONE_OWNER = `
local function desiredIn(key) return redis.call('HGET', key, 'desired') or '' end
local function isDesired(key) return string.find(desiredIn(key), '^present ') ~= nil end
local function hasWww(key)
  local www = string.match(desiredIn(key), '^present (%S+) ')
  return www == 'www' or www == 'auto-www'
end
local function decideOwner(own, bare, twin, desired)
  if bare ~= own and not isDesired(own) and hasWww(bare) then return desired, 'bare', false end
  local www = string.match(desired, '^present (%S+) ')
  if www == 'www' and isDesired(twin) then return desired, 'twin', false end
  if www == 'auto-www' and isDesired(twin) then return 'present no-www none', nil, true end
  return desired, nil, false
end
`;
