// Pushes one prepared payload to many tokens with sideshow/apns2, as its README shows it:
//
//	apns2-rate URL CA KEY TEAM KEY_ID TOPIC PAYLOAD WARM COUNT
//
// WARM pushes first, which are not counted. Prints {"messages", "seconds"} as JSON.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sideshow/apns2"
	"github.com/sideshow/apns2/token"
	"golang.org/x/net/http2"
)

const workers = 400 // twice what Semel has under way: two connections of 100 streams

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "loadtest/bench/go:", err)
		os.Exit(1)
	}
}

func read(name string) []byte {
	bytes, err := os.ReadFile(name)
	check(err)
	return bytes
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	check(err)
	return n
}

// push sends `count` and returns the seconds that it took.
func push(client *apns2.Client, topic string, payload []byte, count int64) float64 {
	var next, refused int64
	var all sync.WaitGroup
	began := time.Now()
	for i := 0; i < workers; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := atomic.AddInt64(&next, 1); n <= count; n = atomic.AddInt64(&next, 1) {
				answer, err := client.Push(&apns2.Notification{
					DeviceToken: fmt.Sprintf("%064x", n), Topic: topic, Payload: payload, PushType: apns2.PushTypeAlert})
				if err != nil || !answer.Sent() {
					atomic.AddInt64(&refused, 1)
				}
			}
		}()
	}
	all.Wait()
	if refused > 0 {
		check(fmt.Errorf("%d of %d pushes were not accepted", refused, count))
	}
	return time.Since(began).Seconds()
}

func main() {
	if len(os.Args) != 10 {
		check(fmt.Errorf("URL CA KEY TEAM KEY_ID TOPIC PAYLOAD WARM COUNT"))
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(read(os.Args[2]))
	key, err := token.AuthKeyFromFile(os.Args[3])
	check(err)
	client := apns2.NewTokenClient(&token.Token{AuthKey: key, TeamID: os.Args[4], KeyID: os.Args[5]})
	client.Host = os.Args[1]
	client.HTTPClient = &http.Client{Transport: &http2.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}}
	payload := read(os.Args[7])
	push(client, os.Args[6], payload, number(os.Args[8]))
	count := number(os.Args[9])
	seconds := push(client, os.Args[6], payload, count)
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{"messages": count, "seconds": seconds}))
}
