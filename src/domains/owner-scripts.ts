// The Lua that decides who has a host name, inside the step that records a request (REQUEST, CLAIM): of two that race, one wins.

// `own`, `bare`, `twin`: the records of this domain, of the domain whose www name it is (`own` again if it is none), and of its
// www name. Only a domain that is to be present has any name. If its own record is to be present, the name is its own, whatever
// another record says.
// -> the request that counts, and who has the name that it would take ('bare', 'twin', or nil); third: true if www gave way.
// Needs MOVE_TO (decodeDesired).
export const ONE_OWNER = `
local function desiredIn(key) return decodeDesired(redis.call('HGET', key, 'desired')) end
local function isDesired(key) return desiredIn(key).presence == 'present' end
local function hasWww(key)
  local desired = desiredIn(key)
  return desired.presence == 'present' and desired.www and true or false
end
local function decideOwner(own, bare, twin, desired, withoutWww)
  if bare ~= own and not isDesired(own) and hasWww(bare) then return desired, 'bare', false end
  local www = decodeDesired(desired).www
  if www == true and isDesired(twin) then return desired, 'twin', false end
  if www == 'auto' and isDesired(twin) then return withoutWww, nil, true end
  return desired, nil, false
end
`;
