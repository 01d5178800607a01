// The asynq side of the queue benchmark: one process that produces or consumes, driven by
// bench/queue/compare.py through the same lines as the other sides (bench/queue/progress.h).
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
)

// Finished jobs stay as long as Phasor keeps them.
const keep = 72 * time.Hour

type progress struct {
	done, newest, printed atomic.Int64
}

func (p *progress) add() {
	p.newest.Store(time.Now().UnixMicro())
	p.done.Add(1)
}

func (p *progress) print() {
	done := p.done.Load()
	if p.printed.Swap(done) != done {
		fmt.Printf("%.6f %d\n", float64(p.newest.Load())/1e6, done)
	}
}

func (p *progress) run() {
	for range time.Tick(20 * time.Millisecond) {
		p.print()
	}
}

func produce(redis asynq.RedisClientOpt, jobs, workers, payload int, waitForGo func()) {
	client := asynq.NewClient(redis)
	if err := client.Ping(); err != nil {
		log.Fatal(err)
	}
	body := []byte(strings.Repeat("x", payload))
	waitForGo()
	var p progress
	go p.run()
	var next atomic.Int64
	var group sync.WaitGroup
	for i := 0; i < workers; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for n := next.Add(1); n <= int64(jobs); n = next.Add(1) {
				// An id of the caller's makes a repeated submit one job, as on the other sides.
				_, err := client.Enqueue(asynq.NewTask("bench", body),
					asynq.TaskID("job-"+strconv.FormatInt(n, 10)), asynq.Retention(keep))
				if err != nil {
					log.Fatal(err)
				}
				p.add()
			}
		}()
	}
	group.Wait()
	p.print()
}

// A server fetches its tasks one after the other on one goroutine; several share the work.
func consume(redis asynq.RedisClientOpt, workers, servers int, waitForGo func()) {
	var p progress
	// asynq tells nobody when a task is marked as complete, a moment later: counted is the handler.
	handler := asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
		p.add()
		return nil
	})
	waitForGo()
	go p.run()
	for i := 0; i < servers; i++ {
		server := asynq.NewServer(redis, asynq.Config{
			Concurrency:       max(1, workers/servers),
			LogLevel:          asynq.ErrorLevel,
			TaskCheckInterval: time.Millisecond, // the default waits a second at an empty queue
		})
		if err := server.Start(handler); err != nil {
			log.Fatal(err)
		}
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	p.print()
}

func main() {
	socket := flag.String("socket", "", "Redis's unix socket")
	jobs := flag.Int("jobs", 10000, "")
	workers := flag.Int("workers", 8, "calls at a time")
	servers := flag.Int("servers", 1, "asynq servers among which the workers are divided")
	payload := flag.Int("payload", 300, "bytes of a job")
	flag.Parse()
	input := bufio.NewReader(os.Stdin)
	waitForGo := func() {
		fmt.Println("ready")
		_, _ = input.ReadString('\n')
	}
	redis := asynq.RedisClientOpt{Network: "unix", Addr: *socket, PoolSize: *workers + 8}
	switch flag.Arg(0) {
	case "produce":
		produce(redis, *jobs, *workers, *payload, waitForGo)
	case "consume":
		consume(redis, *workers, *servers, waitForGo)
	default:
		log.Fatal("usage: asynq-bench OPTIONS produce|consume")
	}
}
