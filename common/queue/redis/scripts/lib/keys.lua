-- What lies where. A model, a class and a tenant are m, c and t here.
--   j:<id> s:<id>      the job (record.lua)
--   q:<m>:<c>:<t>      LIST  ready jobs of a model, class and tenant, the next one at the head
--   ring:<m>:<c>       LIST  tenants with such a list, but for the parked ones
--   dq:<m>:<c>         HASH  tenant -> what it has used; #v the virtual time (order.h)
--   park               HASH  tenant at its cap of running jobs -> ' m:c m:c ', its rings
--   lease delay seal   ZSET  id -> when the lease or delay is over, when sealed
--   tk                 HASH  nonce of a take -> id, while the lease is held
--   due                ZSET  id -> deadline, of jobs that wait
--   gone               ZSET  id -> when it is forgotten, of jobs that ended
--   live all           ZSET  id -> sequence number of the submit; dead: of the death
--   seq                the last sequence number
--   depth:<m>          HASH  class, 'run', 'wait' -> jobs, 'cost' -> of the ready ones
--   tn tr              HASH  tenant -> open, running jobs
--   models             HASH  model -> its name
--   cfg                HASH  limits, `paused`; what TAKE, the audit and PREEMPT remember: `pass`,
--                            `swept`, `audited`, `preempt_from`, `forgotten` jobs
--   fgt<n>             layers of what FORGET has let go (forgotten.lua)
--   fleet              HASH  what all processes agree about (foundation.h)
--   tl                 HASH  '<tenant>:o' -> open jobs, '<tenant>:r' -> running ones,
--                            '<tenant>:w' -> weight, '<tenant>:p', ':t', ':b' -> its quotas
--                            (caps.lua): limits of its own
--   use                HASH  tenant with a quota -> what it has used in the minute '#m'
--   skip               HASH  class -> how often its models were passed over (passed.lua)
--   head               HASH  '<m>:<c>' -> the job that stood at the head, its time (heads.lua)
--   asked              HASH  running job that PREEMPT has asked to make room -> its epoch
--   idle bell          workers that found nothing, and the LIST that wakes them (change.lua)
--   ev                 channel of the events
--   aud his            HASH  the rounds of AUDIT and HISTORY (round.lua)
--   audn auds audo     HASH, SET, HASH: what AUDIT notes in a round (audit.lua)
--   old                HASH  model -> its oldest ready job when AUDIT came by
local prefix = require('core').prefix

local keys = {
  submission = prefix .. 's:', record = prefix .. 'j:',  -- followed by the id
  leases = prefix .. 'lease', delays = prefix .. 'delay', seals = prefix .. 'seal',
  deadlines = prefix .. 'due', ended = prefix .. 'gone', nonces = prefix .. 'tk',
  live = prefix .. 'live', all = prefix .. 'all', dead = prefix .. 'dead',
  sequence = prefix .. 'seq', models = prefix .. 'models', parked = prefix .. 'park',
  open = prefix .. 'tn', running = prefix .. 'tr', tenant_limits = prefix .. 'tl',
  usage = prefix .. 'use',
  config = prefix .. 'cfg', passed_over = prefix .. 'skip', heads = prefix .. 'head',
  idle = prefix .. 'idle', bell = prefix .. 'bell', events = prefix .. 'ev',
  asked = prefix .. 'asked', audit = prefix .. 'aud', audit_sums = prefix .. 'audn',
  audit_rings = prefix .. 'auds', audit_oldest = prefix .. 'audo', history = prefix .. 'his',
  oldest = prefix .. 'old', forgotten = prefix .. 'fgt', fleet = prefix .. 'fleet',
  VIRTUAL_TIME = '#v',  -- among the tenants' shares
}

local DIGITS = {[0] = '0', '1', '2', '3'}  -- of a class as a number, which is slow to format

function keys.depth(model)
  return prefix .. 'depth:' .. model
end

function keys.list(model, class, tenant)
  return prefix .. 'q:' .. model .. ':' .. (DIGITS[class] or class) .. ':' .. tenant
end

function keys.ring(model, class)
  return prefix .. 'ring:' .. model .. ':' .. (DIGITS[class] or class)
end

function keys.shares(model, class)
  return prefix .. 'dq:' .. model .. ':' .. (DIGITS[class] or class)
end

return keys
