# Controllers: pods that the control plane makes.
# bats file_tags=kubernetes
load helpers

# workload KIND COMMAND: create it with a template of pods with this command, and more of
# its spec on standard input.
workload() {
	{
		cat <<-END
			apiVersion: apps/v1
			kind: $1
			metadata: {name: $NAME}
			spec:
			  selector: {matchLabels: {app: $NAME}}
			  template:
			    metadata: {labels: {app: $NAME}}
			    spec:
			      containers: [{name: main, image: $IMAGE, command: $IDLE}]
		END
		sed 's/^/  /'
	} | create
}

# rolled_out KIND: all pods are as the object wants them.
rolled_out() {
	engine_ok rollout status "$1/$NAME" --timeout "$(patient 20)s"
}

pods() {
	kubectl get pods -l "app=$NAME" -o name | sort
}

count_is() {
	[ "$(pods | wc -l)" = "$1" ]
}

@test "a Deployment scales, and replaces its pods" {
	workload Deployment <<-END
		replicas: 3
	END
	rolled_out deployment
	assert_equal 3 "$(pods | wc -l)"
	engine_ok scale "deployment/$NAME" --replicas 5
	rolled_out deployment
	assert_equal 5 "$(pods | wc -l)"
	engine_ok scale "deployment/$NAME" --replicas 2
	wait_for 20 count_is 2
	pods >"$T/before"
	engine_ok set env "deployment/$NAME" VERSION=2
	rolled_out deployment
	wait_for 20 count_is 2
	assert_equal "" "$(comm -12 "$T/before" <(pods))"
	# shellcheck disable=SC2016 # for the container's shell
	engine_ok exec "deployment/$NAME" -- sh -c 'echo $VERSION'
	assert_equal 2 "$out"
}

@test "twenty pods start at once" {
	workload Deployment <<-END
		replicas: 20
	END
	rolled_out deployment
	assert_equal 20 "$(kubectl get pods -l "app=$NAME" --field-selector status.phase=Running -o name | wc -l)"
}

@test "a DaemonSet has a pod on the node" {
	workload DaemonSet </dev/null
	rolled_out daemonset
	assert_equal 1 "$(pods | wc -l)"
}

@test "a StatefulSet starts its pods in order" {
	workload StatefulSet <<-END
		replicas: 2
		serviceName: none
	END
	rolled_out statefulset
	assert_equal "pod/$NAME-0
pod/$NAME-1" "$(pods)"
}

@test "a Job runs its completions, and tries a failed pod again" {
	create <<-END
		apiVersion: batch/v1
		kind: Job
		metadata: {name: $NAME}
		spec:
		  completions: 3
		  parallelism: 2
		  completionMode: Indexed
		  template:
		    spec:
		      restartPolicy: OnFailure
		      containers:
		      - name: main
		        image: $IMAGE
		        command: [sh, -c, 'mkdir /shared/\$JOB_COMPLETION_INDEX || exit 0; [ \$JOB_COMPLETION_INDEX != 1 ]']
		        volumeMounts: [{name: shared, mountPath: /shared}]
		      volumes: [{name: shared, hostPath: {path: $T/shared, type: DirectoryOrCreate}}]
	END
	becomes condition=Complete "job/$NAME"
	assert_equal $'0\n1\n2' "$(ls "$T/shared")"
	assert_equal 1 "$(kubectl get pods -l "job-name=$NAME,batch.kubernetes.io/job-completion-index=1" -o jsonpath='{.items[0].status.containerStatuses[0].restartCount}')"
}

@test "a CronJob starts a Job each minute" {
	create <<-END
		apiVersion: batch/v1
		kind: CronJob
		metadata: {name: $NAME}
		spec:
		  schedule: "* * * * *"
		  jobTemplate:
		    spec:
		      template:
		        spec:
		          restartPolicy: Never
		          containers: [{name: main, image: $IMAGE, command: [echo, from cron]}]
	END
	wait_for 90 has_succeeded
	engine_ok logs "$(kubectl get pods -o name)"
	assert_equal 'from cron' "$out"
}

has_succeeded() {
	[ "$(kubectl get jobs -o jsonpath='{.items[0].status.succeeded}' 2>/dev/null)" = 1 ]
}
