// SPDX-License-Identifier: MIT
// 4 threads x 200,000 on one monitor and one ReentrantLock, then hand-offs: 20,000
// times the argument.
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.locks.ReentrantLock;

public class Contend {
    static final int THREADS = 4, ROUNDS = 200000;
    static final Object monitor = new Object();
    static final ReentrantLock lock = new ReentrantLock();
    static long inMonitor, inLock;

    static void hammer() {
        for (int k = 0; k < ROUNDS; k++) {
            synchronized (monitor) {
                inMonitor++;
            }
            lock.lock();
            try {
                inLock++;
            } finally {
                lock.unlock();
            }
        }
    }

    static long handOver(int count) throws InterruptedException {
        SynchronousQueue<Integer> queue = new SynchronousQueue<>();
        long[] sum = new long[1];
        Thread taker = new Thread(() -> {
            try {
                for (int k = 0; k < count; k++)
                    sum[0] += queue.take();
            } catch (InterruptedException e) {
                sum[0] = -1;
            }
        });
        taker.start();
        for (int k = 0; k < count; k++)
            queue.put(k);
        taker.join();
        return sum[0];
    }

    public static void main(String[] args) throws InterruptedException {
        int times = args.length > 0 ? Integer.parseInt(args[0]) : 1;
        Thread[] threads = new Thread[THREADS];
        for (int i = 0; i < THREADS; i++)
            threads[i] = new Thread(Contend::hammer);
        for (Thread thread : threads)
            thread.start();
        for (Thread thread : threads)
            thread.join();
        System.out.println("sum=" + handOver(20000 * times) + " " + inMonitor + " " + inLock);
    }
}
