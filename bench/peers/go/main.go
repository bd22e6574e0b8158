// The application of the comparison on zishang520's socket.io. Environment: PORT, PING_INTERVAL, DEFLATE=1.
package main

import (
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/zishang520/socket.io/servers/socket/v3"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

func setting(name string, otherwise int) int {
	if value, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return value
	}
	return otherwise
}

func main() {
	options := socket.DefaultServerOptions()
	options.SetPingInterval(time.Duration(setting("PING_INTERVAL", 25000)) * time.Millisecond)
	if os.Getenv("DEFLATE") == "1" {
		options.SetPerMessageDeflate(&types.PerMessageDeflate{Threshold: 256})
	}
	io := socket.NewServer(nil, options)

	io.On("connection", func(clients ...any) {
		client := clients[0].(*socket.Socket)
		client.On("join", func(data ...any) {
			client.Join(socket.Room(data[0].(string)))
			data[len(data)-1].(socket.Ack)([]any{true}, nil)
		})
		publish := func(data ...any) {
			message := data[0].(map[string]any)
			io.To(socket.Room(message["room"].(string))).Emit("broadcast_message", message)
		}
		client.On("publish", publish)
		client.On("publish_binary", publish)
		client.On("echo", func(data ...any) {
			data[len(data)-1].(socket.Ack)([]any{data[0]}, nil)
		})
	})

	http.Handle("/socket.io/", io.ServeHandler(nil))
	listener, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(setting("PORT", 8000)))
	if err != nil {
		panic(err)
	}
	panic(http.Serve(listener, nil))
}
