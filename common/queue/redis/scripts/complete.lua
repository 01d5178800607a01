#!lua flags=allow-oom
-- COMPLETE: the owners of jobs have won or read the terminal records.
-- ARGV: from 2 on, for each job: id, epoch, nonce, result pointer
-- -> for each job: OK | REPEATED | CANCELED | FENCED (lib/done.lua)
--#include core
--#include change
--#include ring
--#include done
local ids, replies = {}, {}
for i = 2, #ARGV, 4 do ids[#ids + 1] = ARGV[i] end
read_records(ids)
for i = 2, #ARGV, 4 do
  replies[#replies + 1] = complete(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
end
leave_leases()
return commit(replies)
