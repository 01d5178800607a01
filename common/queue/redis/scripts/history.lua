#!lua flags=allow-oom
-- HISTORY: one part of a round over what has ended, and over all keys for jobs that no index knows.
-- It is long and seldom finds anything, so it has a pace of its own beside AUDIT's, and one each
-- hour is enough. Arguments and answer are AUDIT's.
--
-- Phases: keys   SCANs for jobs that neither `live` nor `gone` knows
--         dead, gone   drop members that the state does not name; `gone` puts back into `all`
--         all    puts back into the others, and forgets what is not known any more
local keys = require('keys')
local counts = require('counts')
local change = require('change')
local round = require('round')
local check = require('check')
local call = require('core').call

local function enter(phase)
  return function() round.enter(phase) end
end

local phases = {}
phases.keys = check.keys_phase(enter('dead'))
phases.dead = check.index_phase(keys.dead, enter('gone'),
                                function(job) return job.state == 'DEAD' end, true)
phases.gone = check.index_phase(keys.ended, enter('all'), function(job)
  if counts.is_open(job) then return false end
  round.put_back(keys.all, job.id, job.sequence)
  return true
end)

function phases.all(state)
  local answer, ids = call('ZSCAN', keys.all, state.at, 'COUNT', 2 * round.PAGE), {}
  for i = 1, #answer[2], 2 do
    local id = answer[2][i]
    if call('EXISTS', keys.submission .. id) == 1 then
      ids[#ids + 1] = id
    else
      call('ZREM', keys.all, id)
    end
  end
  if #ids > 0 then check.strays(ids) end
  round.saw(#answer[2] / 2, 4)
  if answer[1] == '0' then round.finish() else round.go_on(answer[1]) end
end

local report = round.walk(keys.history, phases, 'keys', {share = 0.02, mending = 0.02, rest = 3600000})
return change.commit(report)
