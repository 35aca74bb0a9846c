package request

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"time"
)

// unavailable is what Traefik's load balancer says when no dyno is there.
const unavailable = "no available server\n"

// clientLeft is the status by which Traefik notes that the visitor did not wait.
const clientLeft = 499

// full is how many bytes Traefik reads at once: after as many, more will come.
const full = 32 << 10

// answer is the way of an answer to the visitor. Traefik's own words for a request that no dyno
// answered are replaced; all else goes through as it is, and at once.
//
// The interpreter lets nobody see that a type of its own can flush: so each part is flushed here. It is
// slow, too: what is embedded is called without it.
type answer struct {
	http.ResponseWriter
	header  http.Header
	flusher http.Flusher
	request *http.Request
	reached atomic.Bool
	spoken  atomic.Bool
	held    int
	silence *clock
	upload  *upload
}

// carry hands a request on and watches over its answer.
func carry(next http.Handler, out http.ResponseWriter, request *http.Request, silence time.Duration) {
	ctx, cancel := context.WithCancel(request.Context())
	defer cancel()
	it := &answer{ResponseWriter: out, header: out.Header(), request: request, silence: &clock{limit: silence, end: cancel}, upload: &upload{body: request.Body}}
	it.flusher, _ = out.(http.Flusher)
	if request.ContentLength != 0 {
		request.Body = it.upload
	}
	whole := false
	defer func() { it.end(whole) }()
	next.ServeHTTP(it, request.WithContext(httptrace.WithClientTrace(ctx, it.trace())))
	whole = true
}

// trace hears how far the request came: to a connection with a dyno, to the first byte from it.
func (a *answer) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn:              func(_ httptrace.GotConnInfo) { a.reached.Store(true) },
		GotFirstResponseByte: func() { a.spoken.Store(true) },
	}
}

func (a *answer) WriteHeader(status int) {
	if status == clientLeft && a.header.Get("Date") == "" {
		a.request.Header.Set(code, a.upload.why())
		if a.upload.late.Load() {
			status = http.StatusBadRequest
		}
	}
	if status >= http.StatusInternalServerError && own(status) != "" && a.header.Get("Date") == "" {
		a.held = status
		return
	}
	a.ResponseWriter.WriteHeader(status)
	if status < http.StatusOK {
		return
	}
	a.silence.start()
	if a.header.Get("Content-Length") == "" {
		a.flush()
	}
}

func (a *answer) Write(part []byte) (int, error) {
	if status := a.held; status != 0 {
		a.held = 0
		if string(part) == own(status) {
			a.stand(status)
			return len(part), nil
		}
		a.ResponseWriter.WriteHeader(status)
	}
	if a.silence.timer != nil {
		a.silence.timer.Reset(a.silence.limit)
	}
	count, err := a.ResponseWriter.Write(part)
	if len(part) < full {
		a.flush()
	}
	return count, err
}

// Hijack gives the connection away, for WebSockets.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if hijacker, can := a.ResponseWriter.(http.Hijacker); can {
		return hijacker.Hijack()
	}
	return nil, nil, errors.New("this connection cannot be given away")
}

func (a *answer) flush() {
	if a.flusher != nil {
		a.flusher.Flush()
	}
}

// end is the last to be called, whether or not the answer is whole.
func (a *answer) end(whole bool) {
	silent := a.silence.stop()
	switch {
	case a.held != 0:
		a.ResponseWriter.WriteHeader(a.held)
	case whole || a.request.Header.Get(code) != "":
	case silent:
		a.request.Header.Set(code, "H15")
	case a.request.Context().Err() == nil:
		a.request.Header.Set(code, "H18")
	}
}

// own returns what Traefik itself would say with a status, empty where it would say nothing.
func own(status int) string {
	switch status {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return http.StatusText(status)
	case http.StatusServiceUnavailable:
		return unavailable
	}
	return ""
}

// stand answers in place of a dyno, where the visitor is not to blame himself.
func (a *answer) stand(status int) {
	if a.upload.late.Load() || a.upload.left.Load() {
		a.request.Header.Set(code, a.upload.why())
		http.Error(a.ResponseWriter, "Bad Request", http.StatusBadRequest)
		return
	}
	a.refuse(a.why(status))
}

// why returns Heroku's code for what Traefik met.
func (a *answer) why(status int) string {
	reached := a.reached.Load()
	switch {
	case status == http.StatusServiceUnavailable:
		return "H99"
	case status == http.StatusGatewayTimeout && reached:
		return "H12"
	case status == http.StatusGatewayTimeout:
		return "H19"
	case !reached:
		return "H21"
	case status == http.StatusInternalServerError && a.spoken.Load():
		return "H17"
	}
	return "H13"
}

// refuse answers in place of a dyno.
func (a *answer) refuse(why string) {
	a.request.Header.Set(code, why)
	id := a.request.Header.Get("X-Request-Id")
	text := page(why, id)
	header := a.header
	header.Set(code, why)
	header.Set("Cache-Control", "no-cache, no-store")
	header.Set("Content-Length", strconv.Itoa(len(text)))
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("X-Request-Id", id)
	a.ResponseWriter.WriteHeader(http.StatusServiceUnavailable)
	a.ResponseWriter.Write([]byte(text))
}

// upload is a body that goes on to the dyno while it arrives, and knows why it did not come whole.
//
// It is read where a panic would end the gateway, and the interpreter panics on what compiled code
// takes: no embedded interface, no type assertion.
type upload struct {
	body io.ReadCloser
	late atomic.Bool
	left atomic.Bool
}

func (u *upload) Close() error { return u.body.Close() }

func (u *upload) Read(part []byte) (int, error) {
	count, err := u.body.Read(part)
	switch {
	case late(err):
		u.late.Store(true)
	case err != nil && err != io.EOF && err != http.ErrBodyReadAfterClose:
		u.left.Store(true)
	}
	return count, err
}

// why returns Heroku's code for a visitor who does not wait, or is not waited for.
func (u *upload) why() string {
	if u.late.Load() {
		return "H28"
	}
	return "H27"
}

// clock ends an answer in which nothing comes for too long.
type clock struct {
	limit time.Duration
	end   func()
	timer *time.Timer
	rung  atomic.Bool
}

// start counts from now.
func (c *clock) start() {
	if c.timer != nil {
		c.timer.Reset(c.limit)
		return
	}
	c.timer = time.AfterFunc(c.limit, func() {
		c.rung.Store(true)
		c.end()
	})
}

// stop tells whether the time was over.
func (c *clock) stop() bool {
	if c.timer != nil {
		c.timer.Stop()
	}
	return c.rung.Load()
}
